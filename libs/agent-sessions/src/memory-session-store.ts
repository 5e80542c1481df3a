import { detached } from './detached';
import { MemoryDispatches } from './memory-dispatches';
import { comparePlaces, isBeyond } from './place-in-order';
import type { SessionState } from './session-state';
import type {
  ClaimDispatches,
  ClaimedDispatch,
  ListSessions,
  OutboxEntry,
  Receipt,
  SessionCommit,
  SessionCommitOutcome,
  SessionStore,
  StoredSession,
} from './session-store';

interface WaitingEntry extends OutboxEntry {
  readonly committedAtMs: number;
}

interface KeptReceipt {
  readonly receipt: Receipt;
  readonly takenAtMs: number;
  isAnswered: boolean;
}

interface KeptSession {
  version: number;
  /** As it was left, also when it is deleted. */
  state: SessionState;
  deletedAtMs: number | undefined;
  readonly events: Map<string, string>;
  readonly receipts: Map<string, KeptReceipt>;
  lastSequence: number;
  outbox: WaitingEntry[];
}

/** The readable one: keeps everything in this process. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, KeptSession>();
  readonly #dispatches: MemoryDispatches;

  /** `now` gives milliseconds since 1970. */
  constructor(private readonly now: () => number = Date.now) {
    this.#dispatches = new MemoryDispatches(now);
  }

  async load(workspaceId: number, sessionId: string): Promise<StoredSession | undefined> {
    const kept = this.#present(sessionId);
    if (kept?.state.workspaceId !== workspaceId) return undefined;
    return { state: detached(kept.state), version: kept.version };
  }

  async lastState(sessionId: string): Promise<SessionState | undefined> {
    const kept = this.#sessions.get(sessionId);
    return kept && detached(kept.state);
  }

  async workspaceOf(sessionId: string): Promise<number | undefined> {
    return this.#present(sessionId)?.state.workspaceId;
  }

  async commit(commit: SessionCommit): Promise<SessionCommitOutcome> {
    const { sessionId, state, receipt } = commit;
    const kept = this.#sessions.get(sessionId);
    const known = receipt && kept?.receipts.get(receipt.key);
    if (known) return { kind: 'repeated', receipt: known.receipt };
    const present = this.#present(sessionId);
    if (kept && present?.state.workspaceId !== commit.workspaceId) return { kind: 'conflict' };
    if ((present?.version ?? 0) !== commit.expectedVersion) return { kind: 'conflict' };
    const taken = takenId(commit, kept?.events);
    if (taken !== undefined) return { kind: 'event_id_taken', eventId: taken };
    if (!kept && !state) return { kind: 'conflict' };

    const session = kept ?? this.#make(sessionId, state as SessionState);
    const now = this.now();
    session.version += 1;
    if (state) session.state = detached(state);
    else session.deletedAtMs = now;
    for (const { id, type } of commit.eventIds) session.events.set(id, type);
    for (const event of commit.events) {
      session.outbox.push({ sequence: ++session.lastSequence, event, committedAtMs: now });
    }
    for (const dispatch of commit.dispatches) this.#dispatches.add(commit.workspaceId, sessionId, dispatch);
    if (receipt) session.receipts.set(receipt.key, { receipt: { ...receipt }, takenAtMs: now, isAnswered: false });
    return { kind: 'committed', version: session.version };
  }

  async knownEvents(sessionId: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const events = this.#present(sessionId)?.events;
    const known = new Map<string, string>();
    for (const id of eventIds) {
      const type = events?.get(id);
      if (type !== undefined) known.set(id, type);
    }
    return known;
  }

  async receipt(sessionId: string, key: string): Promise<Receipt | undefined> {
    return this.#sessions.get(sessionId)?.receipts.get(key)?.receipt;
  }

  async unansweredReceipt(sessionId: string, requestHash: string): Promise<Receipt | undefined> {
    const receipts = [...(this.#sessions.get(sessionId)?.receipts.values() ?? [])];
    return receipts.findLast(({ receipt, isAnswered }) => !isAnswered && receipt.requestHash === requestHash)?.receipt;
  }

  async markAnswered(sessionId: string, key: string): Promise<void> {
    const kept = this.#sessions.get(sessionId)?.receipts.get(key);
    if (kept) kept.isAnswered = true;
  }

  async list(query: ListSessions): Promise<readonly SessionState[]> {
    const { order, after } = query;
    return [...this.#sessions.values()]
      .flatMap(({ state, deletedAtMs }) => (deletedAtMs === undefined && isListed(state, query) ? [state] : []))
      .filter((state) => after === undefined || isBeyond(order, state, after))
      .sort((a, b) => comparePlaces(order, a, b))
      .slice(0, query.limit)
      .map(detached);
  }

  async outbox(sessionId: string, limit: number): Promise<readonly OutboxEntry[]> {
    const waiting = this.#sessions.get(sessionId)?.outbox ?? [];
    return waiting.slice(0, limit).map(({ sequence, event }) => ({ sequence, event }));
  }

  async waitingOutboxes(olderThanMs: number, limit: number): Promise<readonly string[]> {
    const committedBefore = this.now() - olderThanMs;
    return [...this.#sessions]
      .flatMap(([id, { outbox }]) => (outbox[0] ? [{ id, sinceMs: outbox[0].committedAtMs }] : []))
      .filter(({ sinceMs }) => sinceMs <= committedBefore)
      .sort((a, b) => a.sinceMs - b.sinceMs)
      .slice(0, limit)
      .map(({ id }) => id);
  }

  async settle(sessionId: string, upToSequence: number): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session) session.outbox = session.outbox.filter(({ sequence }) => sequence > upToSequence);
  }

  async claimDispatches(options: ClaimDispatches): Promise<readonly ClaimedDispatch[]> {
    return this.#dispatches.claim(options);
  }

  async renewDispatch(dispatchId: number, holder: string, leaseMs: number): Promise<boolean> {
    return this.#dispatches.renew(dispatchId, holder, leaseMs);
  }

  async finishDispatch(dispatchId: number, holder: string): Promise<boolean> {
    return this.#dispatches.finish(dispatchId, holder);
  }

  async retryDispatch(dispatchId: number, holder: string, delayMs: number): Promise<boolean> {
    return this.#dispatches.retry(dispatchId, holder, delayMs);
  }

  async overdueRuns(nowMs: number, limit: number): Promise<readonly { workspaceId: number; sessionId: string }[]> {
    return [...this.#sessions.values()]
      .flatMap(({ state, deletedAtMs }) => {
        const deadlineMs = deletedAtMs === undefined ? state.run?.deadlineMs : undefined;
        return deadlineMs === undefined ? [] : [{ workspaceId: state.workspaceId, sessionId: state.id, deadlineMs }];
      })
      .filter(({ deadlineMs }) => deadlineMs <= nowMs)
      .sort((a, b) => a.deadlineMs - b.deadlineMs)
      .slice(0, limit)
      .map(({ workspaceId, sessionId }) => ({ workspaceId, sessionId }));
  }

  async forgetReceipts(olderThanMs: number, limit: number): Promise<number> {
    const before = this.now() - olderThanMs;
    let forgotten = 0;
    for (const [sessionId, session] of this.#sessions) {
      for (const [key, { takenAtMs }] of session.receipts) {
        if (forgotten === limit) return forgotten;
        if (takenAtMs <= before && session.receipts.delete(key)) forgotten += 1;
      }
      if (this.#isOver(sessionId, session, before)) this.#sessions.delete(sessionId);
    }
    return forgotten;
  }

  /** A deleted session goes for good when nobody has to hear of it any more. */
  #isOver(sessionId: string, { deletedAtMs, outbox, receipts }: KeptSession, before: number): boolean {
    if (deletedAtMs === undefined || deletedAtMs > before) return false;
    return outbox.length === 0 && receipts.size === 0 && !this.#dispatches.hasAnyOf(sessionId);
  }

  #present(sessionId: string): KeptSession | undefined {
    const kept = this.#sessions.get(sessionId);
    return kept?.deletedAtMs === undefined ? kept : undefined;
  }

  #make(sessionId: string, state: SessionState): KeptSession {
    const session: KeptSession = {
      version: 0,
      state,
      deletedAtMs: undefined,
      events: new Map(),
      receipts: new Map(),
      lastSequence: 0,
      outbox: [],
    };
    this.#sessions.set(sessionId, session);
    return session;
  }
}

/** The first id of the commit that the session has already, or that comes twice. */
function takenId({ eventIds }: SessionCommit, known: ReadonlyMap<string, string> | undefined): string | undefined {
  const seen = new Set<string>();
  for (const { id } of eventIds) {
    if (known?.has(id) || seen.has(id)) return id;
    seen.add(id);
  }
  return undefined;
}

function isListed(state: SessionState, query: ListSessions): boolean {
  const { createdAtMs, agent } = state;
  return (
    state.workspaceId === query.workspaceId &&
    (query.includeArchived || state.archivedAtMs === null) &&
    (query.agentId === undefined || agent.id === query.agentId) &&
    (query.agentVersion === undefined || agent.version === query.agentVersion) &&
    (query.statuses === undefined || query.statuses.includes(state.status)) &&
    (query.createdAfterMs === undefined || createdAtMs > query.createdAfterMs) &&
    (query.createdFromMs === undefined || createdAtMs >= query.createdFromMs) &&
    (query.createdBeforeMs === undefined || createdAtMs < query.createdBeforeMs) &&
    (query.createdUpToMs === undefined || createdAtMs <= query.createdUpToMs)
  );
}
