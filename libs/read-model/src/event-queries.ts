import {
  PUBLIC_WORKSPACE_ID,
  type EncodedRecordedEvent,
  type EventFamily,
  type Position,
  type RecordedEvent,
} from '@sluice/event-schema';
import {
  BEFORE_FIRST,
  isPublicBeside,
  matchesNothing,
  prefixesByLength,
  splitTypes,
  toEpoch,
  toPosition,
  type EntityRef,
  type EntitySummary,
  type EventFilter,
  type Head,
  type ListEntitiesOptions,
  type ReadAllOptions,
  type ReadEventsOptions,
  type RecordedPage,
  type RecordedRange,
  type RemovedEvent,
} from '@sluice/event-log';
import type { Queries } from './database';
import { Prisma } from './generated/client';
import { fromStoredRow, type StoredEventRow } from './stored-event';

const COLUMNS = Prisma.sql`position, entity_sequence, recorded_at, envelope`;

export async function readHead(queries: Queries): Promise<Head> {
  const [row] = await queries.$queryRaw<{ epoch: string; last_position: bigint }[]>`
    SELECT epoch, last_position FROM read_model.position_counter WHERE id = 1`;
  if (!row) throw new Error('the position counter is missing');
  return { epoch: toEpoch(row.epoch), position: toPosition(Number(row.last_position)) };
}

interface MeasuredRow extends StoredEventRow {
  /** No row of the candidates comes after it. */
  readonly is_last: boolean;
}

/** A row of the page, or, where it has none, nothing but what was removed. */
type PageRow = (MeasuredRow | { readonly position: null }) & RemovalsRow;

interface RemovalsRow {
  readonly floor: bigint;
  readonly lost: bigint;
  readonly revision: bigint;
}

/**
 * Of so many candidates, the first ones that are within the bytes. Only sizes are summed: an envelope that is stored
 * out of line is not fetched unless it is in the answer. The floor is read in the same statement, so in the same snapshot:
 * what was removed before is told by it, and what is removed later is on the page.
 */
async function readWithin(
  queries: Queries,
  conditions: Prisma.Sql[],
  floorConditions: Prisma.Sql[],
  { order, limit, maxBytes = Number.MAX_SAFE_INTEGER, knownRevision = 0 }: ReadEventsOptions,
): Promise<{ rows: readonly MeasuredRow[]; removals: RemovalsRow | undefined }> {
  const byPosition = order === 'descending' ? Prisma.sql`ORDER BY position DESC` : Prisma.sql`ORDER BY position`;
  const found = await queries.$queryRaw<PageRow[]>`
    SELECT page.*, floors.*
    FROM (
      SELECT coalesce(max(position), 0) AS floor, coalesce(max(revision), 0) AS revision,
        coalesce(max(position) FILTER (WHERE revision > ${BigInt(knownRevision)}::bigint), 0) AS lost
      FROM read_model.retention_floors
      WHERE ${Prisma.join(floorConditions, ' AND ')}
    ) AS floors
    LEFT JOIN (
      SELECT ${COLUMNS}, is_last
      FROM (
        SELECT *, sum(octet_length(envelope)) OVER ordered AS bytes_to_here, lead(position) OVER ordered IS NULL AS is_last
        FROM (
          SELECT ${COLUMNS} FROM read_model.recorded_events
          WHERE ${Prisma.join(conditions, ' AND ')} ${byPosition} LIMIT ${limit}
        ) AS candidates
        WINDOW ordered AS (${byPosition})
      ) AS measured
      WHERE bytes_to_here <= ${BigInt(maxBytes)} OR bytes_to_here = octet_length(envelope)
    ) AS page ON true`;
  const rows = found.filter((row): row is MeasuredRow & PageRow => row.position !== null);
  // They come in this order, but a join does not promise it, and to ask for it costs a sort in the database.
  const direction = order === 'descending' ? -1 : 1;
  rows.sort((a, b) => Number(a.position - b.position) * direction);
  return { rows, removals: found[0] };
}

export async function readEvents(queries: Queries, options: ReadEventsOptions): Promise<RecordedPage> {
  if (matchesNothing(options.filter)) return NOTHING;
  const inFloors = scopeConditions(options.filter);
  const conditions = [...inFloors, ...entityConditions(options.filter)];
  if (options.after !== undefined) conditions.push(Prisma.sql`position > ${BigInt(options.after)}`);
  if (options.upTo !== undefined) conditions.push(Prisma.sql`position <= ${BigInt(options.upTo)}`);
  if (options.occurredAfter !== undefined) conditions.push(Prisma.sql`occurred_at > ${BigInt(options.occurredAfter)}`);
  if (options.occurredBefore !== undefined)
    conditions.push(Prisma.sql`occurred_at < ${BigInt(options.occurredBefore)}`);
  const { rows, removals } = await readWithin(queries, conditions, inFloors, options);
  return {
    events: rows.map(fromStoredRow),
    complete: rows.length < options.limit && rows.at(-1)?.is_last !== false,
    floor: toPosition(Number(removals?.floor ?? 0)),
    lost: toPosition(Number(removals?.lost ?? 0)),
    revision: Number(removals?.revision ?? 0),
  };
}

const NOTHING: RecordedPage = { events: [], complete: true, floor: BEFORE_FIRST, lost: BEFORE_FIRST, revision: 0 };

/** One value is compared by `=`, so that an index gives the rows in position order and none is sorted. */
function anyOf(column: Prisma.Sql, values: readonly (string | number)[], type: Prisma.Sql): Prisma.Sql {
  return values.length === 1
    ? Prisma.sql`${column} = ${values[0]}::${type}`
    : Prisma.sql`${column} = ANY(${[...values]}::${type}[])`;
}

const INT = Prisma.sql`int`;
const TEXT = Prisma.sql`text`;

/** What a filter says about workspaces and families: of events, and of the floors of these. */
function scopeConditions(filter: EventFilter): Prisma.Sql[] {
  const conditions = [anyOf(Prisma.sql`workspace_id`, filter.workspaceIds, INT)];
  if (isPublicBeside(filter)) {
    conditions.push(Prisma.sql`(workspace_id <> ${PUBLIC_WORKSPACE_ID}::int OR family = 'registry')`);
  }
  if (filter.families) conditions.push(anyOf(Prisma.sql`family`, filter.families, TEXT));
  return conditions;
}

/** What it says about entities and types. */
function entityConditions(filter: EventFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (filter.entityIds) conditions.push(anyOf(Prisma.sql`entity_id`, filter.entityIds, TEXT));
  if (filter.entityIdPrefixes) conditions.push(beginsWithAny(filter.entityIdPrefixes));
  if (filter.types) {
    const { exact, prefixes } = splitTypes(filter.types);
    conditions.push(Prisma.sql`(type = ANY(${exact}::text[]) OR EXISTS (
      SELECT FROM unnest(${prefixes}::text[]) AS p (prefix) WHERE starts_with(type, prefix)))`);
  }
  return conditions;
}

/**
 * An index by entity could answer this too, but not in the order of positions: all that a chain ever did would be read
 * and sorted for one page. So it is said in a way that no index answers, and the caller bounds the positions to read.
 */
function beginsWithAny(prefixes: readonly string[]): Prisma.Sql {
  const byLength = [...prefixesByLength(prefixes, (prefix) => [...prefix].length)];
  const ofOneLength = byLength.map(
    ([length, same]) => Prisma.sql`left(entity_id, ${length}::int) = ANY(${[...same]}::text[])`,
  );
  return Prisma.sql`(${Prisma.join(ofOneLength, ' OR ')})`;
}

interface RangeRow extends Omit<StoredEventRow, 'envelope'> {
  /** None where the event was removed. */
  readonly envelope: string | null;
  readonly workspace_id: number;
  readonly family: EventFamily;
  readonly entity_id: string;
  readonly floor: bigint;
  readonly revision: bigint;
}

const RANGE_COLUMNS = Prisma.sql`position, entity_sequence, recorded_at, workspace_id, family, entity_id`;

/** A position is either of a recorded event or of a removed one, and what moves from there to here does so at once. */
export async function readAllEvents(queries: Queries, options: ReadAllOptions): Promise<RecordedRange> {
  const { after, upTo, limit, maxBytes = Number.MAX_SAFE_INTEGER } = options;
  const inRange = Prisma.sql`position > ${BigInt(after)} AND position <= ${BigInt(upTo)}`;
  const rows = await queries.$queryRaw<RangeRow[]>`
    SELECT measured.*, coalesce(floors.position, 0) AS floor, coalesce(floors.revision, 0) AS revision
    FROM (
      SELECT *, sum(coalesce(octet_length(envelope), 0)) OVER (ORDER BY position) AS bytes_to_here
      FROM (
        SELECT ${RANGE_COLUMNS}, envelope FROM read_model.recorded_events WHERE ${inRange}
        UNION ALL
        SELECT ${RANGE_COLUMNS}, NULL FROM read_model.removed_events WHERE ${inRange}
        ORDER BY position LIMIT ${limit}
      ) AS candidates
    ) AS measured
    LEFT JOIN read_model.retention_floors floors ON measured.envelope IS NULL
      AND floors.workspace_id = measured.workspace_id AND floors.family = measured.family
    WHERE bytes_to_here <= ${BigInt(maxBytes)} OR bytes_to_here = octet_length(envelope)
    ORDER BY measured.position`;
  const events: EncodedRecordedEvent[] = [];
  const removed: RemovedEvent[] = [];
  let reached = after;
  for (const { envelope, ...row } of rows) {
    const position = toPosition(Number(row.position));
    if (position !== reached + 1) break;
    reached = position;
    if (envelope !== null) events.push(fromStoredRow({ ...row, envelope }));
    else removed.push(toRemoved(position, row));
  }
  return { events, removed, reached };
}

function toRemoved(position: Position, row: Omit<RangeRow, 'envelope'>): RemovedEvent {
  const { workspace_id: workspaceId, family, entity_id: entityId } = row;
  const [floor, revision] = [toPosition(Number(row.floor)), Number(row.revision)];
  return { position, workspaceId, family, entityId, floor, revision };
}

export async function findEventsByIds(
  queries: Queries,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, RecordedEvent>> {
  const rows = await queries.$queryRaw<StoredEventRow[]>`
    SELECT ${COLUMNS} FROM read_model.recorded_events WHERE id = ANY(${[...eventIds]}::uuid[])`;
  return new Map(rows.map(fromStoredRow).map(({ event }) => [event.id, event]));
}

export async function removedAmong(queries: Queries, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await queries.$queryRaw<{ id: string }[]>`
    SELECT id FROM read_model.removed_events WHERE id = ANY(${[...eventIds]}::uuid[])`;
  return new Set(rows.map(({ id }) => id));
}

interface EntityRow {
  readonly workspace_id: number;
  readonly family: EventFamily;
  readonly entity_id: string;
  readonly event_count: bigint;
  readonly first_position: bigint;
  readonly last_position: bigint;
  readonly last_occurred_at: bigint;
}

export async function findEntity(
  queries: Queries,
  { workspaceId, family, entityId }: EntityRef,
): Promise<EntitySummary | undefined> {
  const [row] = await queries.$queryRaw<EntityRow[]>`
    SELECT * FROM read_model.entities
    WHERE workspace_id = ${workspaceId} AND family = ${family} AND entity_id = ${entityId}`;
  return row && toSummary(row);
}

export async function listEntities(queries: Queries, options: ListEntitiesOptions): Promise<readonly EntitySummary[]> {
  const conditions = [Prisma.sql`workspace_id = ${options.workspaceId}`];
  if (options.family) conditions.push(Prisma.sql`family = ${options.family}`);
  if (options.after) {
    conditions.push(Prisma.sql`(family, entity_id) > (${options.after.family}, ${options.after.entityId})`);
  }
  const rows = await queries.$queryRaw<EntityRow[]>`
    SELECT * FROM read_model.entities WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY family, entity_id LIMIT ${options.limit}`;
  return rows.map(toSummary);
}

function toSummary(row: EntityRow): EntitySummary {
  return {
    workspaceId: row.workspace_id,
    family: row.family,
    entityId: row.entity_id,
    eventCount: Number(row.event_count),
    firstPosition: toPosition(Number(row.first_position)),
    lastPosition: toPosition(Number(row.last_position)),
    lastOccurredAt: Number(row.last_occurred_at),
  };
}
