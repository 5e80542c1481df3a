import { detached } from './detached';
import { MemoryDispatches } from './memory-dispatches';
import { MemoryReceipts } from './memory-receipts';
import { pageOf } from './page-size';
import { comparePlaces, isBeyond } from './place-in-order';
import type { SessionState } from './session-state';
import type {
  ClaimDispatches,
  ClaimedDispatch,
  DispatchClaim,
  DispatchRetry,
  ListedSessions,
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

interface KeptSession {
  version: number;
  /** As it was left, also when it is deleted. */
  state: SessionState;
  deletedAtMs: number | undefined;
  readonly events: Map<string, string>;
  lastSequence: number;
  outbox: WaitingEntry[];
}

/** The readable one: keeps everything in this process. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, KeptSession>();
  readonly #dispatches: MemoryDispatches;
  readonly #receipts: MemoryReceipts;

  /** `now` gives milliseconds since 1970. */
  constructor(private readonly now: () => number = Date.now) {
    this.#dispatches = new MemoryDispatches(now);
    this.#receipts = new MemoryReceipts(now);
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
    const scope = receipt?.scope ?? sessionId;
    const known = receipt && this.#receipts.earlier(scope, receipt);
    if (known) return { kind: 'repeated', receipt: known };
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
    if (receipt) this.#receipts.add(scope, receipt);
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

  async receipt(scope: string, key: string): Promise<Receipt | undefined> {
    return this.#receipts.find(scope, key);
  }

  async unansweredReceipt(scope: string, requestHash: string, maxAgeMs: number): Promise<Receipt | undefined> {
    return this.#receipts.unanswered(scope, requestHash, maxAgeMs);
  }

  async markAnswered(scope: string, key: string): Promise<void> {
    this.#receipts.markAnswered(scope, key);
  }

  async list(query: ListSessions): Promise<ListedSessions> {
    const { order, after } = query;
    const listed = [...this.#sessions.values()]
      .flatMap(({ state, deletedAtMs }) => (deletedAtMs === undefined && isListed(state, query) ? [state] : []))
      .filter((state) => after === undefined || isBeyond(order, state, after))
      .sort((a, b) => comparePlaces(order, a, b));
    const { page, hasMore } = pageOf(listed, query.limit, (state) => state);
    return { states: page.map(detached), hasMore };
  }

  async outbox(sessionId: string, limit: number, maxBytes = Infinity): Promise<readonly OutboxEntry[]> {
    const waiting = this.#sessions.get(sessionId)?.outbox ?? [];
    let bytes = 0;
    const isBeyond = ({ event }: OutboxEntry) => (bytes += new TextEncoder().encode(event.json).length) > maxBytes;
    const end = waiting.findIndex((entry, index) => isBeyond(entry) && index > 0);
    return waiting
      .slice(0, Math.min(limit, end === -1 ? limit : end))
      .map(({ sequence, event }) => ({ sequence, event }));
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

  async renewDispatch(claim: DispatchClaim, leaseMs: number): Promise<boolean> {
    return this.#dispatches.renew(claim, leaseMs);
  }

  async finishDispatch(claim: DispatchClaim): Promise<boolean> {
    return this.#dispatches.finish(claim);
  }

  async retryDispatch(claim: DispatchClaim, retry: DispatchRetry): Promise<boolean> {
    return this.#dispatches.retry(claim, retry);
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
    const forgotten = this.#receipts.forget(before, limit);
    if (forgotten === limit) return forgotten;
    for (const [sessionId, session] of this.#sessions) {
      if (this.#isOver(sessionId, session, before)) this.#sessions.delete(sessionId);
    }
    return forgotten;
  }

  /** A deleted session goes for good when nobody has to hear of it any more. */
  #isOver(sessionId: string, { deletedAtMs, outbox }: KeptSession, before: number): boolean {
    if (deletedAtMs === undefined || deletedAtMs > before) return false;
    return outbox.length === 0 && !this.#receipts.hasAnyOf(sessionId) && !this.#dispatches.hasAnyOf(sessionId);
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
    (query.agentId === undefined || query.agentVersion === undefined || agent.version === query.agentVersion) &&
    (query.statuses === undefined || query.statuses.includes(state.status)) &&
    (query.createdAfterMs === undefined || createdAtMs > query.createdAfterMs) &&
    (query.createdFromMs === undefined || createdAtMs >= query.createdFromMs) &&
    (query.createdBeforeMs === undefined || createdAtMs < query.createdBeforeMs) &&
    (query.createdUpToMs === undefined || createdAtMs <= query.createdUpToMs)
  );
}
