import { SluiceError } from '@sluice/event-log';
import { workspaceEntityId, workspaceEventDataSchema, type EventEnvelope, type Position } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import { z } from 'zod';
import type { Changed } from '../changed';
import type { Clock } from '../clock';
import { noSuch, requireDocument } from '../documents';
import { derivedEventId, newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf } from '../journal/workspace-draft';
import { isSameWriting, type WorkspaceJournal, type Written } from '../journal/workspace-journal';
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

/** Of how many spawns into a session it is looked whether a command did one: those of replicas that did so at the time. */
const LOOKED_AT_SPAWNS = 20;

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
    if (spawn.session_id !== undefined) return this.spawnInto(scope, agentId, spawn.session_id, spawn);
    await this.journal.earlier(scope, 'session_updated');
    const sessionId = newObjectId(scope, 'session');
    return this.commands.once(scope, {
      entityId: workspaceEntityId('session', sessionId),
      writes: 'agent_spawned',
      first: () => this.spawnFirst(scope, agentId, sessionId, spawn),
      again: async () => ({ value: { sessionId }, isPending: false }),
    });
  }

  /**
   * Of all that spawn into one session at a time the log keeps one, by an id that they share. So the key of a command
   * cannot give that id, and is told beside it.
   */
  private async spawnInto(
    scope: CommandScope,
    agentId: AgentType,
    sessionId: string,
    spawn: Spawn,
  ): Promise<Changed<{ sessionId: string }>> {
    await this.journal.earlier(scope, 'agent_spawned');
    return this.commands.once(scope, {
      entityId: workspaceEntityId('session', sessionId),
      writes: 'session_updated',
      first: () => this.spawnFirst(scope, agentId, sessionId, spawn),
      again: async ({ position }) => {
        if (!(await this.hasSpawned(scope, sessionId, position))) throw busy();
        return { value: { sessionId }, isPending: false };
      },
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
    { workdir, prompt, session_id: named }: Spawn,
  ): Promise<Changed<{ sessionId: string }>> {
    const { workspaceId, key } = scope;
    // Before the run is looked for: whoever spawned since then is found there, or has the same claim.
    const claim = named === undefined ? {} : { eventId: await this.claimOf(workspaceId, sessionId) };
    const deadlineAt = this.clock.now() + this.runTimeoutMs;
    const data = { agent_id: agentId, session_id: sessionId, workdir, prompt, deadline_at: deadlineAt };
    const marker = named === undefined || key === undefined ? [] : [draftOf('session_updated', { session_id: named })];
    if (await this.documents.find(workspaceId, 'run', sessionId)) throw busy();
    const [place] = this.executor.reserve(workspaceId);
    try {
      const history = await this.historyOf(workspaceId, sessionId);
      const written = await this.journal.append(scope, [draftOf('agent_spawned', data, claim), ...marker]);
      const [spawned] = written.events;
      const run: AgentRun = { kind: 'agent', workspaceId, sessionId, agentId, deadlineAt };
      // Somebody spawned since the claim was made up, and what they wrote is not even kept any more.
      if (spawned && written.removed.has(spawned.id)) throw busy();
      if (place && spawned) {
        const isOurs =
          named === undefined ? this.journal.isOurs(scope, spawned, written) : this.isRun(spawned, written);
        const first = written.recorded.get(spawned.id);
        const isRepeated = first && scope.commandId !== undefined && first.causationId === scope.commandId;
        if (first && !isRepeated && !(await isOurs)) throw busy();
        this.run(place, run, prompt, history, isOurs);
      }
      return { value: { sessionId }, isPending: written.pending };
    } finally {
      place?.release();
    }
  }

  /** What all who spawn into a session share until one of them did: the id of the event that says so. */
  private async claimOf(workspaceId: number, sessionId: string): Promise<string> {
    const entityId = workspaceEntityId('session', sessionId);
    const idOf = (place: string) => derivedEventId(workspaceId, entityId, `spawn/${place}`);
    const session = await this.documents.find(workspaceId, 'session', sessionId);
    const claim = idOf(`${session?.lastPosition ?? 0}`);
    if (!(await this.journal.isTaken(claim))) return claim;
    // By a spawn of which the session shows nothing: it was deleted, or its events are not kept any more. They still count.
    return idOf(`after/${await this.journal.eventCount(workspaceId, entityId)}`);
  }

  /** Whether a spawn of ours is the one that is on record, and began the run that goes on in its session. */
  private async isRun(spawned: EventEnvelope, written: Written): Promise<boolean | undefined> {
    const first = await this.journal.recordedAs(spawned, written);
    if (!first || !isSameWriting(spawned, first)) return first && false;
    const run = await this.documents.find(first.workspaceId, 'run', String(first.data['session_id']));
    return run === undefined || run.createdPosition === first.position;
  }

  /** Whether the command of the scope is the one that spawned, of those that are on record up to a position. */
  private async hasSpawned(
    { workspaceId, commandId }: CommandScope,
    sessionId: string,
    upTo: Position,
  ): Promise<boolean> {
    const about = { type: 'agent_spawned', upTo, limit: LOOKED_AT_SPAWNS } as const;
    const spawns = await this.journal.newest(workspaceId, workspaceEntityId('session', sessionId), about);
    return spawns.some(({ causationId }) => causationId === commandId);
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

const busy = () => new SluiceError('conflict', 'An agent works in this session', { where: 'body.session_id' });

function noSuchAgent(): SluiceError {
  return new SluiceError('not_found', 'No such agent', { where: 'path.id' });
}
