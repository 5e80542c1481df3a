import { SluiceError } from '@sluice/event-log';
import { workspaceEntityId, type SessionStatus, type WorkspaceEventData } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import type { Changed } from '../changed';
import type { Clock } from '../clock';
import { instant, isAnothers, readPage, requireDocument, type PageQuery } from '../documents';
import { newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf, type WorkspaceDraft } from '../journal/workspace-draft';
import type { EarlierEvent, WorkspaceJournal, Written } from '../journal/workspace-journal';
import { agentCompleted, failureOf, type AgentRun } from '../runs/run';
import type { RunExecutor } from '../runs/run-executor';
import { runOf } from '../runs/run-reaper';
import {
  sessionMessageOf,
  sessionOf,
  type NewSession,
  type Session,
  type SessionMessage,
  type SessionPatch,
} from './session';

/** The sessions of workspaces, and what is said in them. */
export class SessionCommands {
  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly documents: WorkspaceDocuments,
    private readonly commands: EntityCommands,
    private readonly executor: RunExecutor,
    private readonly clock: Clock,
  ) {}

  create(scope: CommandScope, { id, ...session }: NewSession): Promise<Changed<Session>> {
    const session_id = id ?? newObjectId(scope, 'session');
    const data = { session_id, ...session, status: 'active' as const };
    const made = (isPending: boolean, { occurredAt, position }: Pick<Written, 'occurredAt' | 'position'>) =>
      this.changed(scope, data, isPending, occurredAt, position);
    const first = async () => {
      if (await this.documents.find(scope.workspaceId, 'session', session_id)) throw taken();
      const written = await this.journal.append(scope, [draftOf('session_created', data)]);
      return made(written.pending, written);
    };
    const again = (earlier: EarlierEvent<'session_created'>) => made(false, earlier);
    return this.commands.once(scope, { entityId: entityIdOf(session_id), writes: 'session_created', first, again });
  }

  /** A session that is completed or cancelled while its agent works ends that work. */
  update(scope: CommandScope, sessionId: string, patch: SessionPatch): Promise<Changed<Session>> {
    const first = async () => {
      const document = await requireDocument(this.documents, scope.workspaceId, 'session', sessionId);
      const run = await this.runIn(scope.workspaceId, sessionId);
      const ending = run && patch.status !== undefined ? this.endingOf(run, patch.status) : [];
      const updated = draftOf('session_updated', { session_id: sessionId, ...patch });
      const { pending } = await this.journal.append(scope, [...ending, updated]);
      if (run && ending.length > 0) this.executor.breakOff(run);
      const {
        id: session_id,
        created_at: _created,
        updated_at: _updated,
        ...known
      } = { ...sessionOf(document), ...patch };
      return this.changed(scope, { session_id, ...known }, pending, document.createdAt);
    };
    const again = async () => ({ value: await this.get(scope.workspaceId, sessionId), isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(sessionId), writes: 'session_updated', first, again });
  }

  delete(scope: CommandScope, sessionId: string): Promise<Changed<{ deleted: string }>> {
    const value = { deleted: sessionId };
    const first = async () => {
      await requireDocument(this.documents, scope.workspaceId, 'session', sessionId);
      const run = await this.runIn(scope.workspaceId, sessionId);
      const ending = run ? this.endingOf(run, 'cancelled') : [];
      const deleted = draftOf('session_deleted', { session_id: sessionId });
      const { pending } = await this.journal.append(scope, [...ending, deleted]);
      if (run) this.executor.breakOff(run);
      return { value, isPending: pending };
    };
    const again = async () => ({ value, isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(sessionId), writes: 'session_deleted', first, again });
  }

  /** What a user says. @throws SluiceError `invalid_request` when the session is not active */
  async say(scope: CommandScope, sessionId: string, content: string): Promise<Changed<{ messageId: string }>> {
    const message_id = newObjectId(scope, 'message');
    const value = { messageId: message_id };
    const first = async () => {
      const document = await requireDocument(this.documents, scope.workspaceId, 'session', sessionId);
      if (document.fields['status'] !== 'active') {
        throw new SluiceError('invalid_request', 'The session is not active', { where: 'path.id' });
      }
      const draft = draftOf('session_message', { session_id: sessionId, message_id, role: 'user', content });
      return this.journal.begin(scope, [draft]);
    };
    const again = async () => undefined;
    const entityId = entityIdOf(sessionId);
    // Whoever comes next need not wait until the message can be read: nothing that is asked of a session depends on it.
    const begun = await this.commands.once(scope, { entityId, writes: 'session_message', first, again });
    return { value, isPending: (await begun?.written)?.pending ?? false };
  }

  async get(workspaceId: number, sessionId: string): Promise<Session> {
    return sessionOf(await requireDocument(this.documents, workspaceId, 'session', sessionId));
  }

  async list(workspaceId: number, query: PageQuery): Promise<{ sessions: Session[]; nextCursor?: number }> {
    const { documents, ...rest } = await readPage(this.documents, { workspaceId, kind: 'session' }, query);
    return { sessions: documents.map(sessionOf), ...rest };
  }

  async messages(
    workspaceId: number,
    sessionId: string,
    query: PageQuery,
  ): Promise<{ messages: SessionMessage[]; nextCursor?: number }> {
    await requireDocument(this.documents, workspaceId, 'session', sessionId);
    const about = { workspaceId, kind: 'session_message', parentId: sessionId } as const;
    const { documents, ...rest } = await readPage(this.documents, about, query);
    return { messages: documents.map(sessionMessageOf), ...rest };
  }

  /** The work that goes on in a session. */
  async runIn(workspaceId: number, sessionId: string): Promise<AgentRun | undefined> {
    const document = await this.documents.find(workspaceId, 'run', sessionId);
    const run = document && runOf(document);
    return run?.kind === 'agent' ? run : undefined;
  }

  private endingOf(run: AgentRun, status: SessionStatus): WorkspaceDraft[] {
    switch (status) {
      case 'active':
        return [];
      case 'completed':
        return [agentCompleted(run, true)];
      case 'cancelled':
        return [agentCompleted(run, false)];
      case 'failed':
        return [failureOf(run, 'The session was set to failed', this.clock.now())];
    }
  }

  private async changed(
    { workspaceId }: CommandScope,
    data: WorkspaceEventData<'session_created'>,
    isPending: boolean,
    createdAt = this.clock.now(),
    madeAt?: number,
  ): Promise<Changed<Session>> {
    const { session_id, ...known } = data;
    const document = isPending ? undefined : await this.documents.find(workspaceId, 'session', session_id);
    if (document && isAnothers(document, madeAt)) throw taken();
    if (document) return { value: sessionOf(document), isPending };
    const times = { created_at: instant(createdAt), updated_at: instant(this.clock.now()) };
    return { value: { id: session_id, ...known, ...times }, isPending };
  }
}

const entityIdOf = (sessionId: string) => workspaceEntityId('session', sessionId);

const taken = () => new SluiceError('conflict', 'There is a session of this id', { where: 'body.id' });
