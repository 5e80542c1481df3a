import {
  MAX_LISTED_SESSION_EVENTS,
  MAX_SESSION_EVENT_IDS,
  sessionEventRecord,
  type ListSessionEvents,
  type SessionEventPage,
  type SessionEventRecord,
  type SessionEvents,
} from '@sluice/projections';
import type { Database } from './database';
import { listSessionEvents, SHOWN_COLUMNS } from './session-event-list';
import { canBeStored, isLine } from './session-rows';
import { fromStoredRow, type StoredEventRow } from './stored-event';
import { toLines } from './text-lines';
import { orUnavailable } from './unavailable';

interface SessionEventRow extends StoredEventRow {
  readonly event_id: string;
  readonly type: string;
  readonly processed_at: bigint | null;
}

type Nullable<T> = { readonly [Name in keyof T]: T[Name] | null };

/** A row of a page: of an event, without a text where that is removed; or where there is none, of the window that was looked at. */
interface PageRow extends Nullable<SessionEventRow> {
  /** More candidates come after this one. */
  readonly has_more: boolean | null;
  /** Where a window that is full ends; null where there was no end or it is not full. */
  readonly window_end: bigint | null;
}

/** SessionEvents in PostgreSQL. Each read is a page in the order of an index. */
export class PrismaSessionEvents implements SessionEvents {
  constructor(private readonly database: Database) {}

  async list(query: ListSessionEvents): Promise<SessionEventPage> {
    const limit = Math.min(query.limit, MAX_LISTED_SESSION_EVENTS);
    const types = query.types?.filter((type) => canBeStored(type)) ?? [];
    const isOfNone = types.length === 0 && (query.types ?? []).length > 0;
    if (limit <= 0 || isOfNone || !canBeStored(query.sessionId)) return { events: [] };
    const rows = await orUnavailable(() =>
      this.database.$queryRaw<PageRow[]>(listSessionEvents({ ...query, types, limit })),
    );
    const last = rows.at(-1);
    const next = last?.has_more ? last.position : last?.window_end;
    const kept = rows.filter((row): row is SessionEventRow & PageRow => row.envelope !== null);
    return { events: kept.map(fromRow), ...(next ? { next: Number(next) } : {}) };
  }

  async byIds(workspaceId: number, sessionId: string, ids: readonly string[]): Promise<readonly SessionEventRecord[]> {
    const possible = ids.slice(0, MAX_SESSION_EVENT_IDS).filter(isLine);
    if (possible.length === 0 || !canBeStored(sessionId)) return [];
    const rows = await orUnavailable(
      () => this.database.$queryRaw<SessionEventRow[]>`
      SELECT ${SHOWN_COLUMNS} FROM read_model.session_events e
      JOIN read_model.recorded_events r ON r.position = e.position
      WHERE e.workspace_id = ${workspaceId} AND e.session_id = ${sessionId}
        AND e.event_id = ANY(string_to_array(${toLines(possible)}, E'\\n'))
      ORDER BY e.position`,
    );
    return rows.map(fromRow);
  }

  async find(workspaceId: number, sessionId: string, id: string): Promise<SessionEventRecord | undefined> {
    const [found] = await this.byIds(workspaceId, sessionId, [id]);
    return found;
  }
}

function fromRow(row: SessionEventRow): SessionEventRecord {
  const { event } = fromStoredRow(row);
  return sessionEventRecord({
    position: event.position,
    id: row.event_id,
    type: row.type,
    processedAtMs: row.processed_at === null ? null : Number(row.processed_at),
    data: event.data,
  });
}
