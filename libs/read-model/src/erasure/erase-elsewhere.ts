import type { EntityRef } from '@sluice/event-log';
import { escapeIdentifier } from 'pg';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import { ofEntity } from './entity-events';
import { eraseSession, MAX_ROWS } from './erase-session';

/**
 * Tables that had texts of what is erased. The planner's statistics keep samples of their columns, and are made anew from what
 * is left.
 */
const SAMPLED_TABLES = [
  'read_model.recorded_events',
  'read_model.parked_records',
  'read_model.sandboxes',
  'read_model.session_events',
  'read_model.workspace_documents',
  'agent_sessions.sessions',
  'agent_sessions.events',
  'agent_sessions.outbox',
  'agent_sessions.receipts',
  'agent_sessions.dispatches',
  'agent_sessions.documents',
  'webhooks.deliveries',
  'webhooks.dead_letters',
];

/** Erases a bounded part of what apps keep beside the log. See ErasureWork.eraseElsewhere. */
export async function eraseElsewhere(
  queries: Queries,
  entity: EntityRef,
  isWhole: boolean,
): Promise<'more' | 'waiting' | 'done'> {
  if (await eraseDeliveries(queries, entity)) return 'more';
  if (isWhole && (await eraseDeadLetters(queries, entity))) return 'more';
  return entity.family === 'session' ? eraseSession(queries, entity) : 'done';
}

/** Takes the samples of these tables anew. Not for a transaction with locks that others want: a large table takes long. */
export async function takeSamples(queries: Queries): Promise<void> {
  for (const table of SAMPLED_TABLES) {
    const name = table.split('.').map(escapeIdentifier).join('.');
    await queries.$executeRaw`ANALYZE ${Prisma.raw(name)}`;
  }
}

/** What endpoints answered may repeat what they were sent. */
function eraseDeliveries(queries: Queries, entity: EntityRef): Promise<boolean> {
  const ofEvent = (event: Prisma.Sql) => Prisma.sql`
    EXISTS (SELECT FROM read_model.removed_events WHERE ${ofEntity(entity)} AND id = ${event})
    OR EXISTS (SELECT FROM read_model.recorded_events WHERE ${ofEntity(entity)} AND id = ${event})`;
  return deleteOfWebhooks(queries, entity, { table: 'deliveries', id: 'delivery_id', text: 'entry', ofEvent });
}

/** What is not there any more cannot be sent again. */
function eraseDeadLetters(queries: Queries, entity: EntityRef): Promise<boolean> {
  const ofEvent = (event: Prisma.Sql) =>
    Prisma.sql`EXISTS (SELECT FROM read_model.removed_events WHERE ${ofEntity(entity)} AND id = ${event})`;
  return deleteOfWebhooks(queries, entity, { table: 'dead_letters', id: 'dead_letter_id', text: 'letter', ofEvent });
}

interface OfWebhooks {
  readonly table: string;
  readonly id: string;
  /** The column with the JSON text that names the event. */
  readonly text: string;
  readonly ofEvent: (event: Prisma.Sql) => Prisma.Sql;
}

/** Whether there may be more. Ids of what is no event are no UUIDs. */
async function deleteOfWebhooks(
  queries: Queries,
  { workspaceId }: EntityRef,
  { table, id, text, ofEvent }: OfWebhooks,
): Promise<boolean> {
  const [from, key, json] = [Prisma.raw(`webhooks.${table}`), Prisma.raw(id), Prisma.raw(text)];
  const deleted = await queries.$executeRaw`
    DELETE FROM ${from} d USING (
      SELECT endpoint_id, ${key} FROM (
        SELECT w.endpoint_id, w.${key}, w.${json}::json ->> 'eventId' AS event_id
        FROM webhooks.endpoints e JOIN ${from} w ON w.endpoint_id = e.endpoint_id
        WHERE e.workspace_id = ${workspaceId}::int
      ) AS sent
      WHERE CASE WHEN event_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN ${ofEvent(Prisma.sql`event_id::uuid`)} END
      LIMIT ${MAX_ROWS}
    ) gone
    WHERE d.endpoint_id = gone.endpoint_id AND d.${key} = gone.${key}`;
  return deleted === MAX_ROWS;
}
