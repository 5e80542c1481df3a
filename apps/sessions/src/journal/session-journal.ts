import type {
  Decision,
  DecisionContext,
  Receipt,
  SessionEventBody,
  SessionState,
  SessionStore,
} from '@sluice/agent-sessions';
import type { EventFeed } from '@sluice/delivery';
import { SluiceError, type KeyedLocks } from '@sluice/event-log';
import { sessionEnvelopeId } from '@sluice/event-schema';
import type { SessionEvents } from '@sluice/projections';
import type { Clock } from '../clock';
import { newId, newSecret } from '../new-ids';
import type { SessionSignals } from '../signals';
import { CommandReceipts, requireSame, toAnswer } from './command-receipt';
import type { OutboxShipper } from './outbox-shipper';
import {
  accepted,
  toCommit,
  type AnyCommand,
  type CommandResult,
  type Decided,
  type NewSessionCommand,
  type SessionCall,
  type SessionCommand,
} from './session-command';

/** How often a command is decided again because another replica was first. */
const MAX_ATTEMPTS = 20;

const RETRY_AFTER_MS = 1_000;

export interface SessionJournalPorts {
  readonly store: SessionStore;
  readonly events: SessionEvents;
  readonly feed: Pick<EventFeed, 'expect'>;
  readonly shipper: OutboxShipper;
  readonly locks: KeyedLocks;
  readonly clock: Clock;
  readonly signals: Pick<SessionSignals, 'commandEnded' | 'commandConflicted' | 'fault'>;
  /** How long a command waits until it is known to be in the log and can be read. */
  readonly confirmWaitMs: number;
  readonly runTimeoutMs: number;
  /** Told when there is something to tell to engines, of which session. */
  readonly onDispatch: (sessionId: string) => void;
}

interface Committed {
  readonly state: SessionState | undefined;
  readonly bodies: readonly SessionEventBody[];
}

type Outcome = { readonly committed: Committed } | { readonly repeated: Receipt };

/** How far a command came. */
interface Progress {
  /** A commit of it was begun, and is not known to have stored nothing. */
  mayBeStored: boolean;
  isTaken: boolean;
}

/**
 * Where every command on a session goes: one after the other, each decided on what those before it left, over all
 * replicas, and each of them once. A command is answered when what it stored is in the log and can be read.
 */
export class SessionJournal {
  private readonly receipts: CommandReceipts;

  constructor(private readonly ports: SessionJournalPorts) {
    this.receipts = new CommandReceipts(ports.store, (error) => ports.signals.fault('receipts', error));
  }

  /**
   * @throws SluiceError `not_found`, `conflict`, `invalid_request` as decided, `idempotency_conflict`, `overloaded` when it
   *   is stored and cannot be confirmed in time or when too many wait, `log_unavailable`, `read_model_unavailable`
   */
  execute(command: SessionCommand): Promise<CommandResult> {
    return this.run(command, () => this.decide(command));
  }

  /** Makes a session. @throws SluiceError `conflict` when there is one of this id, and as `execute` */
  create(command: NewSessionCommand): Promise<CommandResult> {
    return this.run(command, () => Promise.resolve(this.decideNew(command)));
  }

  /**
   * What the same call did when it was taken before; undefined when it is not known yet to be a repetition.
   * @throws SluiceError as `execute`
   */
  repetitionOf(call: SessionCall): Promise<CommandResult | undefined> {
    return this.timed(async (progress) => {
      const earlier = await this.receipts.earlier(call);
      progress.isTaken = earlier !== undefined;
      return earlier && this.repeat(call, earlier);
    });
  }

  /** Decides, and stores nothing. @throws SluiceError as it would be refused now */
  async rehearse(command: SessionCommand): Promise<void> {
    accepted(await this.decide(command));
  }

  /** As `rehearse`, of a session that is to be made. */
  rehearseNew(command: NewSessionCommand): void {
    accepted(this.decideNew(command));
  }

  private async decide(command: SessionCommand): Promise<Decided> {
    const { store, clock } = this.ports;
    const { workspaceId, sessionId, referenced = [] } = command;
    const stored = await store.load(workspaceId, sessionId);
    if (!stored) {
      const decision = await this.missing(workspaceId, sessionId);
      return { decision, expectedVersion: 0, before: undefined, nowMs: clock.now() };
    }
    const knownEvents =
      referenced.length === 0
        ? new Map<string, string>()
        : await store.knownEvents(sessionId, [...new Set(referenced)]);
    const nowMs = clock.now();
    const decision = command.decide(stored.state, this.context(nowMs, knownEvents));
    return { decision, expectedVersion: stored.version, before: stored.state, nowMs };
  }

  private decideNew(command: NewSessionCommand): Decided {
    const nowMs = this.ports.clock.now();
    const decision = command.decide(this.context(nowMs, new Map()));
    return { decision, expectedVersion: 0, before: undefined, nowMs };
  }

  /** Of one that was deleted there may be a receipt: its deletion may be repeated. */
  private async missing(workspaceId: number, sessionId: string): Promise<Decision> {
    const message = 'There is no such session';
    const last = await this.ports.store.lastState(sessionId);
    if (last?.workspaceId !== workspaceId) throw new SluiceError('not_found', message);
    return { kind: 'refused', refusal: { code: 'not_found', message } };
  }

  private async run(command: AnyCommand, decide: () => Promise<Decided>): Promise<CommandResult> {
    return this.timed(async (progress) => {
      try {
        const outcome = await this.commit(command, decide, progress);
        progress.isTaken = true;
        if ('committed' in outcome) return await this.confirm(command, outcome.committed);
        await this.drop(command);
        return await this.repeat(command, outcome.repeated);
      } catch (error) {
        if (!progress.isTaken && !progress.mayBeStored) await this.drop(command);
        throw error;
      }
    });
  }

  private async timed<T extends CommandResult | undefined>(work: (progress: Progress) => Promise<T>): Promise<T> {
    const { signals } = this.ports;
    const startedAtMs = performance.now();
    const end = (outcome: Parameters<typeof signals.commandEnded>[0]) =>
      signals.commandEnded(outcome, performance.now() - startedAtMs);
    const progress: Progress = { mayBeStored: false, isTaken: false };
    try {
      const result = await work(progress);
      if (result) end(result.isRepeated ? 'repeated' : 'done');
      return result;
    } catch (error) {
      end(progress.isTaken ? 'unconfirmed' : 'refused');
      throw error;
    }
  }

  private commit(command: AnyCommand, decide: () => Promise<Decided>, progress: Progress): Promise<Outcome> {
    const { shipper, locks, signals } = this.ports;
    // By workspace too: who may not know of the session waits in a queue of its own.
    return locks.run(`${command.workspaceId}/${command.sessionId}`, async () => {
      shipper.requireLog();
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const decided = await decide();
        // Behind the look at the state: a first attempt that is committed after it makes this one a conflict.
        const earlier = await this.receipts.earlier(command);
        if (earlier) return { repeated: earlier };
        const outcome = await this.attempt(command, decided, progress);
        if (outcome) return outcome;
        signals.commandConflicted();
      }
      throw new SluiceError('overloaded', 'Other replicas change this session all the time', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    });
  }

  /** Undefined when another replica was first. */
  private async attempt(command: AnyCommand, decided: Decided, progress: Progress): Promise<Outcome | undefined> {
    const { expectedVersion, before } = decided;
    const decision = accepted(decided);
    const bodies = decision.events.map(({ body }) => body);
    const committed = { state: decision.state, bodies };
    // Nothing changed, so there is nothing that could be lost.
    const changesNothing = decision.state === before && bodies.length === 0 && decision.dispatches.length === 0;
    if (changesNothing && command.receipt === undefined) return { committed };
    const commit = toCommit(command, decision, decided);
    progress.mayBeStored = true;
    const outcome = await this.ports.store.commit(commit);
    progress.mayBeStored = false;
    switch (outcome.kind) {
      case 'committed':
        if (decision.dispatches.length > 0) this.ports.onDispatch(command.sessionId);
        return { committed };
      case 'conflict':
        if (expectedVersion === 0) throw new SluiceError('conflict', 'There is such a session already');
        return undefined;
      case 'repeated':
        requireSame(outcome.receipt, command.receipt);
        return { repeated: outcome.receipt };
      case 'event_id_taken': {
        const message = `The session has an event with the id ${outcome.eventId} already`;
        throw new SluiceError('invalid_request', message, { where: 'events' });
      }
    }
  }

  /** Waits until all of it is in the log and in the read model. */
  private async confirm(command: AnyCommand, { state, bodies }: Committed): Promise<CommandResult> {
    const ids = bodies.map(({ id }) => id);
    await this.untilRecorded(command.workspaceId, command.sessionId, ids);
    this.receipts.markWhenAnswered(command);
    return { state, events: bodies, isKept: true, isRepeated: false, subject: command.subject };
  }

  /** Answers a repeated command by what it stored the first time. */
  private async repeat(call: SessionCall, receipt: Receipt): Promise<CommandResult> {
    const { workspaceId } = call;
    const { sessionId, eventIds, subject } = toAnswer(receipt);
    const { isKept } = await this.untilRecorded(workspaceId, sessionId, eventIds);
    const [stored, events] = await Promise.all([
      this.ports.store.load(workspaceId, sessionId),
      this.ports.events.byIds(workspaceId, sessionId, eventIds),
    ]);
    this.receipts.markWhenAnswered(call, receipt.key);
    const bodies = events.map(({ payload }) => payload as SessionEventBody);
    return { state: stored?.state, events: bodies, isKept, isRepeated: true, subject };
  }

  /** Gives whether all of them are kept. */
  private async untilRecorded(workspaceId: number, sessionId: string, eventIds: readonly string[]) {
    const { feed, shipper, confirmWaitMs } = this.ports;
    if (eventIds.length === 0) {
      // What an answer without events rests on may still be on its way: a command before it that was not confirmed.
      await shipper.ship(sessionId);
      return { isKept: true };
    }
    const ids = eventIds.map((id) => sessionEnvelopeId(workspaceId, sessionId, id));
    const expectation = feed.expect(ids);
    try {
      await shipper.ship(sessionId);
    } catch (error) {
      expectation.cancel();
      throw error;
    }
    const { events, removed } = await expectation.within(confirmWaitMs);
    if (events.size + removed.size < new Set(ids).size) {
      throw new SluiceError('overloaded', 'It is stored, and cannot be read yet', { retryAfterMs: RETRY_AFTER_MS });
    }
    return { isKept: removed.size === 0 };
  }

  private async drop(command: AnyCommand): Promise<void> {
    await command.onDropped?.().catch((error: unknown) => this.ports.signals.fault('leftovers', error));
  }

  private context(nowMs: number, knownEvents: ReadonlyMap<string, string>): DecisionContext {
    return { nowMs, newId, newSecret, knownEvents, runTimeoutMs: this.ports.runTimeoutMs };
  }
}
