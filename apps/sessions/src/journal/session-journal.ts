import type {
  Decision,
  DecisionContext,
  Receipt,
  SessionCommit,
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
import type { OutboxShipper } from './outbox-shipper';
import { toEnvelope } from './session-envelopes';

/** How often a command is decided again because another replica was first. */
const MAX_ATTEMPTS = 20;

const RETRY_AFTER_MS = 1_000;

/** By what a request is known when it comes again. */
export interface CommandReceipt {
  readonly key: string;
  readonly requestHash: string;
  /** Without a key of the caller's own: it is the same request only until it was answered. */
  readonly untilAnswered: boolean;
  /** The caller says that it sent this before. */
  readonly isRetry: boolean;
}

export interface SessionCommand {
  readonly workspaceId: number;
  readonly sessionId: string;
  /** The ids of events that deciding has to know about. */
  readonly referenced?: readonly string[];
  readonly receipt?: CommandReceipt | undefined;
  readonly traceparent?: string | undefined;
  decide(state: SessionState, context: DecisionContext): Decision;
}

/** A command that makes its session. */
export type NewSessionCommand = Omit<SessionCommand, 'decide' | 'referenced'> & {
  decide(context: DecisionContext): Decision;
};

/** What is known once a command was taken: it is in the log and in the read model. */
export interface CommandResult {
  /** Undefined when the session was deleted. */
  readonly state: SessionState | undefined;
  /** What it stored, in its order. */
  readonly events: readonly SessionEventBody[];
  readonly isRepeated: boolean;
}

export interface SessionJournalPorts {
  readonly store: SessionStore;
  readonly events: SessionEvents;
  readonly feed: Pick<EventFeed, 'expect'>;
  readonly shipper: OutboxShipper;
  readonly locks: KeyedLocks;
  readonly clock: Clock;
  readonly signals: Pick<SessionSignals, 'commandEnded' | 'commandConflicted'>;
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

/**
 * Where every command on a session goes: one after the other, each decided on what those before it left, over all
 * replicas, and each of them once. A command is answered when what it stored is in the log and can be read.
 */
export class SessionJournal {
  constructor(private readonly ports: SessionJournalPorts) {}

  /**
   * @throws SluiceError `not_found`, `conflict`, `invalid_request` as decided, `idempotency_conflict`, `overloaded` when it
   *   is stored and cannot be confirmed in time or when too many wait, `log_unavailable`, `read_model_unavailable`
   */
  execute(command: SessionCommand): Promise<CommandResult> {
    const { store } = this.ports;
    return this.timed(command, async () => {
      const stored = await store.load(command.workspaceId, command.sessionId);
      if (!stored) throw new SluiceError('not_found', 'There is no such session');
      const { referenced = [] } = command;
      const knownEvents =
        referenced.length === 0
          ? new Map<string, string>()
          : await store.knownEvents(command.sessionId, [...new Set(referenced)]);
      const nowMs = this.ports.clock.now();
      const decision = command.decide(stored.state, this.context(nowMs, knownEvents));
      return { decision, expectedVersion: stored.version, before: stored.state, nowMs };
    });
  }

  /** Makes a session. @throws SluiceError `conflict` when there is one of this id, and as `execute` */
  create(command: NewSessionCommand): Promise<CommandResult> {
    return this.timed(command, () => {
      const nowMs = this.ports.clock.now();
      const decision = command.decide(this.context(nowMs, new Map()));
      return Promise.resolve({ decision, expectedVersion: 0, before: undefined, nowMs });
    });
  }

  private async timed(command: NewSessionCommand | SessionCommand, decide: Decide): Promise<CommandResult> {
    const { signals } = this.ports;
    const startedAtMs = performance.now();
    const end = (outcome: Parameters<typeof signals.commandEnded>[0]) =>
      signals.commandEnded(outcome, performance.now() - startedAtMs);
    let isStored = false;
    try {
      const outcome = await this.commit(command, decide);
      isStored = true;
      const result =
        'committed' in outcome
          ? await this.confirm(command, outcome.committed)
          : await this.repeat(command, outcome.repeated);
      end(result.isRepeated ? 'repeated' : 'done');
      return result;
    } catch (error) {
      end(isStored ? 'unconfirmed' : 'refused');
      throw error;
    }
  }

  private commit(command: NewSessionCommand | SessionCommand, decide: Decide): Promise<Outcome> {
    const { shipper, locks } = this.ports;
    return locks.run(command.sessionId, async () => {
      shipper.requireLog();
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const decided = await decide();
        // Behind the look at the state: a first attempt that is committed after it makes this one a conflict.
        const earlier = await this.earlier(command);
        if (earlier) return { repeated: earlier };
        const outcome = await this.attempt(command, decided);
        if (outcome) return outcome;
        this.ports.signals.commandConflicted();
      }
      throw new SluiceError('overloaded', 'Other replicas change this session all the time', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    });
  }

  /** Undefined when another replica was first. */
  private async attempt(
    command: NewSessionCommand | SessionCommand,
    { decision, expectedVersion, before, nowMs }: Decided,
  ): Promise<Outcome | undefined> {
    if (decision.kind === 'refused') {
      const { code, message, where } = decision.refusal;
      throw new SluiceError(code, message, where === undefined ? {} : { where });
    }
    const bodies = decision.events.map(({ body }) => body);
    const committed = { state: decision.state, bodies };
    // Nothing changed, so there is nothing that could be lost.
    const changesNothing = decision.state === before && bodies.length === 0 && decision.dispatches.length === 0;
    if (changesNothing && command.receipt === undefined) return { committed };
    const outcome = await this.ports.store.commit(toCommit(command, decision, expectedVersion, nowMs));
    switch (outcome.kind) {
      case 'committed':
        if (decision.dispatches.length > 0) this.ports.onDispatch(command.sessionId);
        return { committed };
      case 'conflict':
        if (expectedVersion === 0) throw new SluiceError('conflict', 'There is such a session already');
        return undefined;
      case 'repeated':
        return { repeated: outcome.receipt };
      case 'event_id_taken': {
        const message = `The session has an event with the id ${outcome.eventId} already`;
        throw new SluiceError('invalid_request', message, { where: 'events' });
      }
    }
  }

  /** Waits until all of it is in the log and in the read model. */
  private async confirm(command: Named, { state, bodies }: Committed): Promise<CommandResult> {
    await this.untilRecorded(
      command,
      bodies.map(({ id }) => id),
    );
    await this.answered(command);
    return { state, events: bodies, isRepeated: false };
  }

  /** Answers a repeated command by what it stored the first time. */
  private async repeat(command: Named, receipt: Receipt): Promise<CommandResult> {
    const { requestHash } = command.receipt ?? {};
    if (receipt.requestHash !== requestHash) {
      const where = 'headers.idempotency-key';
      throw new SluiceError('idempotency_conflict', `${where}: this key was used for another request`, { where });
    }
    const ids = JSON.parse(receipt.answer) as string[];
    const { workspaceId, sessionId } = command;
    await this.untilRecorded(command, ids);
    const [stored, events] = await Promise.all([
      this.ports.store.load(workspaceId, sessionId),
      this.ports.events.byIds(workspaceId, sessionId, ids),
    ]);
    await this.answered(command);
    return { state: stored?.state, events: events.map(({ payload }) => payload as SessionEventBody), isRepeated: true };
  }

  private async untilRecorded({ workspaceId, sessionId }: Named, eventIds: readonly string[]): Promise<void> {
    if (eventIds.length === 0) return;
    const { feed, shipper, confirmWaitMs } = this.ports;
    const ids = eventIds.map((id) => sessionEnvelopeId(workspaceId, sessionId, id));
    const expectation = feed.expect(ids);
    try {
      await shipper.ship(sessionId);
    } catch (error) {
      expectation.cancel();
      throw error;
    }
    const recorded = await expectation.within(confirmWaitMs);
    if (recorded.size < new Set(ids).size) {
      throw new SluiceError('overloaded', 'It is stored, and cannot be read yet', { retryAfterMs: RETRY_AFTER_MS });
    }
  }

  private async earlier({ sessionId, receipt }: Named): Promise<Receipt | undefined> {
    if (receipt === undefined) return undefined;
    const { store } = this.ports;
    if (!receipt.untilAnswered) return store.receipt(sessionId, receipt.key);
    return receipt.isRetry ? store.unansweredReceipt(sessionId, receipt.requestHash) : undefined;
  }

  private async answered({ sessionId, receipt }: Named): Promise<void> {
    // What follows from a mark that is missing: a repetition of an answered request would be taken for it.
    if (receipt?.untilAnswered === true) await this.ports.store.markAnswered(sessionId, receipt.key);
  }

  private context(nowMs: number, knownEvents: ReadonlyMap<string, string>): DecisionContext {
    return { nowMs, newId, newSecret, knownEvents, runTimeoutMs: this.ports.runTimeoutMs };
  }
}

type Named = Pick<SessionCommand, 'workspaceId' | 'sessionId' | 'receipt'>;

interface Decided {
  readonly decision: Decision;
  readonly expectedVersion: number;
  readonly before: SessionState | undefined;
  readonly nowMs: number;
}

type Decide = () => Promise<Decided>;

function toCommit(
  command: NewSessionCommand | SessionCommand,
  decision: Extract<Decision, { kind: 'accepted' }>,
  expectedVersion: number,
  nowMs: number,
): SessionCommit {
  const { workspaceId, sessionId, receipt, traceparent } = command;
  const scope = { workspaceId, sessionId, nowMs, traceparent };
  const ids = decision.events.map(({ body }) => body.id);
  return {
    workspaceId,
    sessionId,
    expectedVersion,
    state: decision.state,
    events: decision.events.map((draft) => toEnvelope(scope, draft)),
    eventIds: decision.events.map(({ body: { id, type } }) => ({ id, type })),
    dispatches: decision.dispatches,
    ...(receipt !== undefined && {
      receipt: { key: receipt.key, requestHash: receipt.requestHash, answer: JSON.stringify(ids) },
    }),
  };
}
