import { SluiceError } from '@sluice/event-log';
import { workspaceEntityId, workspaceEventDataSchema } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import { z } from 'zod';
import type { Changed } from '../changed';
import type { Clock } from '../clock';
import { noSuch, requireDocument } from '../documents';
import { newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import { answerPieces } from '../runs/collect-answer';
import type { HistoryMessage, Responder } from '../runs/responder';
import { agentCompleted, type AgentRun } from '../runs/run';
import type { RunExecutor } from '../runs/run-executor';
import type { RunPlace } from '../runs/run-pool';
import { sessionMessageOf } from '../sessions/session';
import type { SessionCommands } from '../sessions/session-commands';
import { toAgentType, type AgentType } from './agent-types';

const { session_id, workdir, prompt } = workspaceEventDataSchema('agent_spawned').shape;

export const spawnSchema = z.strictObject({
  prompt: prompt.unwrap().min(1),
  workdir: workdir.default('.'),
  session_id: session_id.optional(),
});

export type Spawn = z.output<typeof spawnSchema>;

export const stopSchema = z.strictObject({ session_id });

/** Most earlier messages of a session that its agent is shown. */
const HISTORY_MESSAGES = 50;

/** Agents that work in sessions. */
export class AgentCommands {
  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly documents: WorkspaceDocuments,
    private readonly commands: EntityCommands,
    private readonly sessions: SessionCommands,
    private readonly executor: RunExecutor,
    private readonly responder: Responder,
    private readonly clock: Clock,
    private readonly runTimeoutMs: number,
  ) {}

  /**
   * Begins the work of an agent in a session, a new one if none is named, and goes on in the background.
   * @throws SluiceError `not_found` for an unknown agent, which is an event as well; `conflict` while an agent works in
   *   the session; `overloaded`
   */
  async spawn(scope: CommandScope, agentName: string, spawn: Spawn): Promise<Changed<{ sessionId: string }>> {
    const agentId = toAgentType(agentName);
    if (agentId === undefined) throw await this.unknownAgent(scope, agentName, spawn.session_id);
    const sessionId = spawn.session_id ?? newObjectId(scope, 'session');
    return this.commands.once(scope, {
      entityId: workspaceEntityId('session', sessionId),
      writes: 'agent_spawned',
      first: () => this.spawnFirst(scope, agentId, sessionId, spawn),
      again: async () => ({ value: { sessionId }, isPending: false }),
    });
  }

  /** Ends the work in a session as not successful. @throws SluiceError `not_found`; `conflict` when no agent works there */
  async stop(scope: CommandScope, agentName: string, sessionId: string): Promise<Changed<{ sessionId: string }>> {
    const agentId = toAgentType(agentName);
    if (agentId === undefined) throw noSuchAgent();
    return this.commands.once(scope, {
      entityId: workspaceEntityId('session', sessionId),
      writes: 'session_updated',
      first: () => this.stopFirst(scope, agentId, sessionId),
      again: async () => ({ value: { sessionId }, isPending: false }),
    });
  }

  private async stopFirst(
    scope: CommandScope,
    agentId: AgentType,
    sessionId: string,
  ): Promise<Changed<{ sessionId: string }>> {
    const where = 'body.session_id';
    const { fields } = await requireDocument(this.documents, scope.workspaceId, 'session', sessionId, where);
    if (toAgentType(String(fields['agent_id'])) !== agentId) throw noSuch('session', where);
    const run = await this.sessions.runIn(scope.workspaceId, sessionId);
    const isKeyed = scope.key !== undefined;
    // A command with a key whose end was not on record yet may have ended the run all the same.
    const isStopped = isKeyed && fields['status'] === 'cancelled';
    if (!run && !isStopped) throw new SluiceError('conflict', 'No agent works in this session', { where });
    // The outcome is anybody's who ends the run, so that the key was used is told beside it.
    const marker = draftOf('session_updated', { session_id: sessionId, status: 'cancelled' });
    const ending = run ? [agentCompleted(run, false)] : [];
    const { pending } = await this.journal.append(scope, isKeyed ? [...ending, marker] : ending);
    if (run) this.executor.breakOff(run);
    return { value: { sessionId }, isPending: pending };
  }

  private async spawnFirst(
    scope: CommandScope,
    agentId: AgentType,
    sessionId: string,
    { workdir, prompt }: Spawn,
  ): Promise<Changed<{ sessionId: string }>> {
    const { workspaceId } = scope;
    const value = { sessionId };
    const deadlineAt = this.clock.now() + this.runTimeoutMs;
    const data = { agent_id: agentId, session_id: sessionId, workdir, prompt, deadline_at: deadlineAt };
    const draft = draftOf('agent_spawned', data);
    if (await this.documents.find(workspaceId, 'run', sessionId)) {
      throw new SluiceError('conflict', 'An agent works in this session', { where: 'body.session_id' });
    }
    const [place] = this.executor.reserve(workspaceId);
    try {
      const history = await this.historyOf(workspaceId, sessionId);
      const written = await this.journal.append(scope, [draft]);
      const [spawned] = written.events;
      const run: AgentRun = { kind: 'agent', workspaceId, sessionId, agentId, deadlineAt };
      if (place && spawned) this.run(place, run, prompt, history, this.journal.isOurs(scope, spawned, written));
      return { value, isPending: written.pending };
    } finally {
      place?.release();
    }
  }

  private run(
    place: RunPlace,
    run: AgentRun,
    prompt: string,
    history: readonly HistoryMessage[],
    isOurs: Promise<boolean | undefined>,
  ): void {
    const { workspaceId, sessionId: session_id, agentId } = run;
    const work = async (signal: AbortSignal) => {
      for await (const content of answerPieces(this.responder, { agentId, prompt, history, signal })) {
        signal.throwIfAborted();
        const message_id = newObjectId({ workspaceId }, 'message');
        const message = draftOf('session_message', { session_id, message_id, role: 'assistant', content });
        await this.journal.write({ workspaceId }, [message]);
      }
      return agentCompleted(run, true);
    };
    this.executor.start(place, run, work, isOurs);
  }

  private async historyOf(workspaceId: number, sessionId: string): Promise<HistoryMessage[]> {
    const newest = await this.documents.list({
      workspaceId,
      kind: 'session_message',
      parentId: sessionId,
      order: 'descending',
      limit: HISTORY_MESSAGES,
    });
    return newest
      .map(sessionMessageOf)
      .reverse()
      .map(({ role, content }) => ({ role, content }));
  }

  /** The refusal, after the event that tells of it. A session that exists keeps its state: it is told of a new one. */
  private async unknownAgent(scope: CommandScope, agentName: string, named: string | undefined): Promise<SluiceError> {
    if (await this.journal.earlier(scope, 'agent_error')) return noSuchAgent();
    const isTaken = named !== undefined && (await this.documents.find(scope.workspaceId, 'session', named));
    const sessionId = named === undefined || isTaken ? newObjectId(scope, 'session') : named;
    const data = { agent_id: agentName, session_id: sessionId, error: `Unknown agent: ${agentName}` };
    await this.journal.append(scope, [draftOf('agent_error', data)]);
    return noSuchAgent();
  }
}

function noSuchAgent(): SluiceError {
  return new SluiceError('not_found', 'No such agent', { where: 'path.id' });
}
