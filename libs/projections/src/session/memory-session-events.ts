import type { SessionEventChange } from './session-event-change';
import { sessionEventRecord, type StoredSessionEvent } from './session-event-record';
import {
  MAX_LISTED_SESSION_EVENTS,
  MAX_SCANNED_SESSION_EVENTS,
  MAX_SESSION_EVENT_IDS,
  MAX_SESSION_PAGE_LENGTH,
  type ListSessionEvents,
  type SessionEventPage,
  type SessionEventRecord,
  type SessionEvents,
} from './session-events';

interface MeasuredSessionEvent extends StoredSessionEvent {
  /** Characters of JSON. */
  readonly length: number;
}

interface StoredSession {
  /** By position. */
  readonly events: MeasuredSessionEvent[];
  /** Where an event is in `events`, by its id. */
  readonly places: Map<string, number>;
}

/** SessionEvents in the memory of one process: for tests, and the readable specification of what changes do. */
export class MemorySessionEvents implements SessionEvents {
  private readonly sessions = new Map<string, StoredSession>();

  /** @param isKept whether the event at a position is kept: what is removed is shown no more */
  constructor(private readonly isKept: (position: number) => boolean = () => true) {}

  /** Makes merged changes, all of them before anything can be read. */
  apply(changes: readonly SessionEventChange[]): void {
    for (const change of changes) this.applyOne(change);
  }

  async list(query: ListSessionEvents): Promise<SessionEventPage> {
    const { workspaceId, sessionId, order, after } = query;
    const limit = Math.min(query.limit, MAX_LISTED_SESSION_EVENTS);
    const stored = this.sessions.get(keyOf(workspaceId, sessionId))?.events ?? [];
    const step = order === 'ascending' ? 1 : -1;
    const events: SessionEventRecord[] = [];
    let length = 0;
    let last: number | undefined;
    let place = firstPlace(stored, order, after);
    for (let scanned = 0; ; scanned++, place += step) {
      const event = stored[place];
      if (event === undefined) return { events };
      const isShown = this.isKept(event.position) && matches(event, query);
      const isFull =
        events.length >= limit || (isShown && length > 0 && length + event.length > MAX_SESSION_PAGE_LENGTH);
      if (isFull || scanned >= MAX_SCANNED_SESSION_EVENTS)
        return last === undefined ? { events } : { events, next: last };
      last = event.position;
      if (!isShown) continue;
      events.push(sessionEventRecord(event));
      length += event.length;
    }
  }

  async byIds(workspaceId: number, sessionId: string, ids: readonly string[]): Promise<readonly SessionEventRecord[]> {
    const session = this.sessions.get(keyOf(workspaceId, sessionId));
    const found = [...new Set(ids.slice(0, MAX_SESSION_EVENT_IDS))].flatMap((id) => this.eventOf(session, id) ?? []);
    return found.sort((a, b) => a.position - b.position).map(sessionEventRecord);
  }

  async find(workspaceId: number, sessionId: string, id: string): Promise<SessionEventRecord | undefined> {
    const event = this.eventOf(this.sessions.get(keyOf(workspaceId, sessionId)), id);
    return event && sessionEventRecord(event);
  }

  private eventOf(session: StoredSession | undefined, id: string): StoredSessionEvent | undefined {
    const place = session?.places.get(id);
    const event = place === undefined ? undefined : session?.events[place];
    return event && this.isKept(event.position) ? event : undefined;
  }

  private applyOne({ workspaceId, sessionId, processed, added }: SessionEventChange): void {
    const key = keyOf(workspaceId, sessionId);
    const session = this.sessions.get(key) ?? { events: [], places: new Map<string, number>() };
    this.sessions.set(key, session);
    for (const [id, processedAtMs] of processed) {
      const place = session.places.get(id);
      const event = place === undefined ? undefined : session.events[place];
      if (place !== undefined && event?.processedAtMs === null) session.events[place] = { ...event, processedAtMs };
    }
    for (const event of added) {
      if (session.places.has(event.id)) continue;
      session.places.set(event.id, session.events.length);
      session.events.push({ ...event, length: JSON.stringify(event.data).length });
    }
  }
}

const keyOf = (workspaceId: number, sessionId: string) => JSON.stringify([workspaceId, sessionId]);

/** Where a page begins: the first place beyond a position in the order. */
function firstPlace(
  events: readonly StoredSessionEvent[],
  order: ListSessionEvents['order'],
  after: number | undefined,
): number {
  if (after === undefined) return order === 'ascending' ? 0 : events.length - 1;
  const isBefore = ({ position }: StoredSessionEvent) => (order === 'ascending' ? position <= after : position < after);
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const event = events[middle];
    if (event && isBefore(event)) low = middle + 1;
    else high = middle;
  }
  return order === 'ascending' ? low : low - 1;
}

function matches({ type, processedAtMs }: StoredSessionEvent, query: ListSessionEvents): boolean {
  const { types = [], processedAfterMs, processedFromMs, processedBeforeMs, processedUpToMs } = query;
  if (types.length > 0 && !types.includes(type)) return false;
  const isRange = [processedAfterMs, processedFromMs, processedBeforeMs, processedUpToMs].some(
    (ms) => ms !== undefined,
  );
  if (!isRange) return true;
  if (processedAtMs === null) return false;
  return (
    (processedAfterMs === undefined || processedAtMs > processedAfterMs) &&
    (processedFromMs === undefined || processedAtMs >= processedFromMs) &&
    (processedBeforeMs === undefined || processedAtMs < processedBeforeMs) &&
    (processedUpToMs === undefined || processedAtMs <= processedUpToMs)
  );
}
