import type { EncodedEnvelope } from '@sluice/event-schema';
import type { AgentSessionStatus, RunDispatch, SessionState } from './session-state';

/** A session and the version that a commit has to name. */
export interface StoredSession {
  readonly state: SessionState;
  readonly version: number;
}

/** That a request was taken, so that its repetition is known and is answered alike. Kept for at least a day. */
export interface Receipt {
  /** Unique within its scope, for instance `callback/srun_…/msg_…`. */
  readonly key: string;
  /** Of what was asked for. */
  readonly requestHash: string;
  /** What is to be answered, as JSON. */
  readonly answer: string;
}

/** Of a request without a key of its caller's own: it is known again by its hash, and only for a time. */
export interface UnkeyedRequest {
  /** Its caller says that it sent this before: then it is that one, unless that was answered. */
  readonly isRetry: boolean;
  /** How long ago it came. A retry of the same hash that was taken since then is one of this request. */
  readonly arrivedMsAgo: number;
  /** How long a request that was not answered may be repeated. */
  readonly repeatableForMs: number;
}

/** That the request of a commit is taken with it, unless it was taken before. */
export interface CommitReceipt extends Receipt {
  /** Within what it is looked for; its session by default. Requests that make sessions need one in common. */
  readonly scope?: string;
  readonly unkeyed?: UnkeyedRequest;
}

/** What happens to one session, in one transaction. */
export interface SessionCommit {
  readonly workspaceId: number;
  readonly sessionId: string;
  /** The version that was loaded; 0 makes the session. */
  readonly expectedVersion: number;
  /** Undefined deletes the session. */
  readonly state: SessionState | undefined;
  /** To be appended to the durable log, in this order, after all that was committed before. */
  readonly events: readonly EncodedEnvelope[];
  /** Ids in the form of the SDK and types of those events; an id is unique within its session. */
  readonly eventIds: readonly { readonly id: string; readonly type: string }[];
  readonly dispatches: readonly RunDispatch[];
  readonly receipt?: CommitReceipt;
}

export type SessionCommitOutcome =
  | { readonly kind: 'committed'; readonly version: number }
  /** Another commit was first: load again and decide again. */
  | { readonly kind: 'conflict' }
  /** The request was taken already: under this key, or without one. */
  | { readonly kind: 'repeated'; readonly receipt: Receipt }
  | { readonly kind: 'event_id_taken'; readonly eventId: string };

export interface OutboxEntry {
  /** Rises within a session. */
  readonly sequence: number;
  readonly event: EncodedEnvelope;
}

export interface ListSessions {
  readonly workspaceId: number;
  readonly order: 'ascending' | 'descending';
  /** Beyond this one in the order, which is by creation and then id. */
  readonly after?: { readonly createdAtMs: number; readonly id: string };
  readonly limit: number;
  readonly includeArchived: boolean;
  readonly agentId?: string;
  /** Only with `agentId`; without it, it does not matter. */
  readonly agentVersion?: number;
  readonly statuses?: readonly AgentSessionStatus[];
  readonly createdAfterMs?: number;
  readonly createdFromMs?: number;
  readonly createdBeforeMs?: number;
  readonly createdUpToMs?: number;
}

/** By what a claim is known. Of those of one dispatch only the last one counts, whoever has it. */
export interface DispatchClaim {
  readonly dispatchId: number;
  readonly holder: string;
  /** 1 for the first claim. */
  readonly attempt: number;
}

/** A part of a list. */
export interface ListedSessions {
  /** At most as many as asked for, in the order. */
  readonly states: readonly SessionState[];
  /** There are more beyond the last one. */
  readonly hasMore: boolean;
}

/** Something to tell an engine, held by one process. */
export interface ClaimedDispatch extends DispatchClaim {
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly dispatch: RunDispatch;
  /** How often it failed, or its claim lapsed. That it had to wait is none of it. */
  readonly failures: number;
  /** How long ago it failed first; 0 when it did not. */
  readonly failingForMs: number;
  readonly createdAtMs: number;
}

export interface DispatchRetry {
  readonly delayMs: number;
  /** Whether it failed; else it only has to wait. */
  readonly isFailure: boolean;
}

export interface ClaimDispatches {
  /** Names this process. */
  readonly holder: string;
  /** From now on; a claim that is not renewed until then may be taken by another process. */
  readonly leaseMs: number;
  readonly limit: number;
  /** Not these: this process has them in hand, though their claims may have lapsed. */
  readonly except?: readonly number[];
}

/**
 * What the app of sessions keeps: their states, what is on its way to the durable log and to engines, and which requests
 * were taken. Nobody else uses it. Every method may throw SluiceError `read_model_unavailable`.
 *
 * - A commit is one transaction, and is refused when another one came first: transitions of a session are one after the
 *   other, over all replicas.
 * - Events wait in the outbox in the order of commits. Whoever appends takes all that wait of a session, so that the order
 *   in the log is that of the commits though several processes append.
 * - Dispatches of one session are claimed one at a time, the oldest first: the next one when that is finished.
 * - A receipt outlives its session.
 */
export interface SessionStore {
  /** Undefined when there is none, or it was deleted. */
  load(workspaceId: number, sessionId: string): Promise<StoredSession | undefined>;
  /** As it was left, also of a session that was deleted lately: for telling its engine so. */
  lastState(sessionId: string): Promise<SessionState | undefined>;
  /** The workspace of a session, for doors that are told no workspace. Undefined when there is none, or it was deleted. */
  workspaceOf(sessionId: string): Promise<number | undefined>;
  /** Looked at in this order: the receipt, the version, the ids of events. Nothing is stored unless it is committed. */
  commit(commit: SessionCommit): Promise<SessionCommitOutcome>;
  /** The types of those events that the session has, by id. */
  knownEvents(sessionId: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  receipt(scope: string, key: string): Promise<Receipt | undefined>;
  /** The newest of such a request without a key that is younger and was not marked as answered. */
  unansweredReceipt(scope: string, requestHash: string, maxAgeMs: number): Promise<Receipt | undefined>;
  /** The caller was answered well. */
  markAnswered(scope: string, key: string): Promise<void>;
  /** Ends early, after at least one, where the states would come to more than `MAX_LISTED_BYTES`. */
  list(query: ListSessions): Promise<ListedSessions>;
  /** What waits of one session, the oldest first: at most `limit`, and `maxBytes` in all if it is more than one. */
  outbox(sessionId: string, limit: number, maxBytes?: number): Promise<readonly OutboxEntry[]>;
  /** Sessions whose oldest entry waits for so long or longer, deleted ones too; whose waits longest first. */
  waitingOutboxes(olderThanMs: number, limit: number): Promise<readonly string[]>;
  /** Forgets what was appended. */
  settle(sessionId: string, upToSequence: number): Promise<void>;
  claimDispatches(options: ClaimDispatches): Promise<readonly ClaimedDispatch[]>;
  /** From now on. False when there is a later claim. */
  renewDispatch(claim: DispatchClaim, leaseMs: number): Promise<boolean>;
  /** It was told, or is to be told no more. False when there is a later claim. */
  finishDispatch(claim: DispatchClaim): Promise<boolean>;
  /** It is tried again after the delay. False when there is a later claim. */
  retryDispatch(claim: DispatchClaim, retry: DispatchRetry): Promise<boolean>;
  /** Sessions whose run is past its deadline, the earliest first. */
  overdueRuns(nowMs: number, limit: number): Promise<readonly { workspaceId: number; sessionId: string }[]>;
  /**
   * Forgets receipts that are older, and what is left of sessions that were deleted before and of which nobody has to hear
   * any more; gives how much, at most `limit`.
   */
  forgetReceipts(olderThanMs: number, limit: number): Promise<number>;
}
