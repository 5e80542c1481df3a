import {
  PUBLIC_WORKSPACE_ID,
  type EncodedRecordedEvent,
  type EventFamily,
  type RecordedEvent,
} from '@sluice/event-schema';
import {
  isPublicBeside,
  matchesNothing,
  prefixesByLength,
  splitTypes,
  toEpoch,
  toPosition,
  type EntitySummary,
  type EventFilter,
  type Head,
  type ListEntitiesOptions,
  type ReadAllOptions,
  type ReadEventsOptions,
  type RecordedPage,
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

/**
 * Of so many candidates, the first ones that are within the bytes. Only sizes are summed: an envelope that is stored
 * out of line is not fetched unless it is in the answer.
 */
function readWithin(
  queries: Queries,
  conditions: Prisma.Sql[],
  { order, limit, maxBytes = Number.MAX_SAFE_INTEGER }: Pick<ReadEventsOptions, 'order' | 'limit' | 'maxBytes'>,
): Promise<readonly MeasuredRow[]> {
  const byPosition = order === 'descending' ? Prisma.sql`ORDER BY position DESC` : Prisma.sql`ORDER BY position`;
  return queries.$queryRaw<MeasuredRow[]>`
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
    ${byPosition}`;
}

export async function readEvents(queries: Queries, options: ReadEventsOptions): Promise<RecordedPage> {
  if (matchesNothing(options.filter)) return { events: [], complete: true };
  const conditions = [...filterConditions(options.filter)];
  if (options.after !== undefined) conditions.push(Prisma.sql`position > ${BigInt(options.after)}`);
  if (options.upTo !== undefined) conditions.push(Prisma.sql`position <= ${BigInt(options.upTo)}`);
  if (options.occurredAfter !== undefined) conditions.push(Prisma.sql`occurred_at > ${BigInt(options.occurredAfter)}`);
  if (options.occurredBefore !== undefined)
    conditions.push(Prisma.sql`occurred_at < ${BigInt(options.occurredBefore)}`);
  const rows = await readWithin(queries, conditions, options);
  return { events: rows.map(fromStoredRow), complete: rows.length < options.limit && rows.at(-1)?.is_last !== false };
}

/** One value is compared by `=`, so that an index gives the rows in position order and none is sorted. */
function anyOf(column: Prisma.Sql, values: readonly (string | number)[], type: Prisma.Sql): Prisma.Sql {
  return values.length === 1
    ? Prisma.sql`${column} = ${values[0]}::${type}`
    : Prisma.sql`${column} = ANY(${[...values]}::${type}[])`;
}

const INT = Prisma.sql`int`;
const TEXT = Prisma.sql`text`;

function filterConditions(filter: EventFilter): Prisma.Sql[] {
  const conditions = [anyOf(Prisma.sql`workspace_id`, filter.workspaceIds, INT)];
  if (isPublicBeside(filter)) {
    conditions.push(Prisma.sql`(workspace_id <> ${PUBLIC_WORKSPACE_ID}::int OR family = 'registry')`);
  }
  if (filter.families) conditions.push(anyOf(Prisma.sql`family`, filter.families, TEXT));
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

export async function readAllEvents(
  queries: Queries,
  options: ReadAllOptions,
): Promise<readonly EncodedRecordedEvent[]> {
  const { after, upTo } = options;
  const conditions = [Prisma.sql`position > ${BigInt(after)}`, Prisma.sql`position <= ${BigInt(upTo)}`];
  return (await readWithin(queries, conditions, options)).map(fromStoredRow);
}

export async function findEventsByIds(
  queries: Queries,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, RecordedEvent>> {
  const rows = await queries.$queryRaw<StoredEventRow[]>`
    SELECT ${COLUMNS} FROM read_model.recorded_events WHERE id = ANY(${[...eventIds]}::uuid[])`;
  return new Map(rows.map(fromStoredRow).map(({ event }) => [event.id, event]));
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

export async function listEntities(queries: Queries, options: ListEntitiesOptions): Promise<readonly EntitySummary[]> {
  const conditions = [Prisma.sql`workspace_id = ${options.workspaceId}`];
  if (options.family) conditions.push(Prisma.sql`family = ${options.family}`);
  if (options.after) {
    conditions.push(Prisma.sql`(family, entity_id) > (${options.after.family}, ${options.after.entityId})`);
  }
  const rows = await queries.$queryRaw<EntityRow[]>`
    SELECT * FROM read_model.entities WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY family, entity_id LIMIT ${options.limit}`;
  return rows.map((row) => ({
    workspaceId: row.workspace_id,
    family: row.family,
    entityId: row.entity_id,
    eventCount: Number(row.event_count),
    firstPosition: toPosition(Number(row.first_position)),
    lastPosition: toPosition(Number(row.last_position)),
    lastOccurredAt: Number(row.last_occurred_at),
  }));
}
