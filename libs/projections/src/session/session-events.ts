/** Most events in one page; a larger limit counts as this one. */
export const MAX_LISTED_SESSION_EVENTS = 1000;

/** Most events of a session that are looked at for one page, so that a filter which few meet costs no more than another. */
export const MAX_SCANNED_SESSION_EVENTS = 10_000;

/** A page ends early, after at least one event, where its events would come to more characters of JSON than this. */
export const MAX_SESSION_PAGE_LENGTH = 8 * 1024 * 1024;

/** Most ids in one question; of more, the first ones count. */
export const MAX_SESSION_EVENT_IDS = 1000;

/** One event of a session, as the sessions API shows it. */
export interface SessionEventRecord {
  readonly position: number;
  /** As clients know it; unique within its session. */
  readonly id: string;
  readonly type: string;
  /** In milliseconds since 1970; null while it waits for its run. */
  readonly processedAtMs: number | null;
  /** The event in the form of clients, with its `processed_at` as it is by now. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A page of the events of one session, in the order in which they were recorded. Every condition that is given has to be met. */
export interface ListSessionEvents {
  readonly workspaceId: number;
  readonly sessionId: string;
  /** By position. */
  readonly order: 'ascending' | 'descending';
  /** Beyond this position in the order: `next` of the page before. */
  readonly after?: number;
  /** At least one of these types; an empty list is no condition. */
  readonly types?: readonly string[];
  /** Processed later than this instant. With any of these four, events that wait for their run are not listed. */
  readonly processedAfterMs?: number;
  /** Processed at this instant or later. */
  readonly processedFromMs?: number;
  /** Processed before this instant. */
  readonly processedBeforeMs?: number;
  /** Processed at this instant or before. */
  readonly processedUpToMs?: number;
  readonly limit: number;
}

/** Events, and where the next page goes on; no `next`: that is all there is by now. */
export interface SessionEventPage {
  readonly events: readonly SessionEventRecord[];
  readonly next?: number;
}

/**
 * Reads the events of sessions. They show all events on record that the sessions API knows, and only those: what is kept
 * can be read here. What a page costs depends on its limit, not on how many events the session has: where few
 * events meet the conditions, or events are large, a page may have fewer than `limit`, even none, and yet a `next`.
 * Every method may throw SluiceError `read_model_unavailable`.
 */
export interface SessionEvents {
  /** Of a session that is not there: an empty page without `next`. */
  list(query: ListSessionEvents): Promise<SessionEventPage>;
  /** Those of the ids that are on record, by position. */
  byIds(workspaceId: number, sessionId: string, ids: readonly string[]): Promise<readonly SessionEventRecord[]>;
  find(workspaceId: number, sessionId: string, id: string): Promise<SessionEventRecord | undefined>;
}
