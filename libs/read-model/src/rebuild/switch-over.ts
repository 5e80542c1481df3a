import type { RebuildPositions, SwitchOutcome } from '@sluice/event-log';
import type { PoolClient } from 'pg';
import { MIGRATION_LOCK } from '../migrations';
import { RECORDED_CHANNEL } from '../record-transaction';
import { functionDefinitions } from './copy-structure';
import { VARIANTS_TABLE } from './copy-kept';
import { LACKING_TABLE } from './lacking';
import { LIVE_SCHEMA, NEXT_SCHEMA, OLD_SCHEMA } from './model-schemas';
import { isUpToDate, refuseDependents } from './structure';

/** Longest wait for one lock: whoever records waits behind it. */
const LOCK_TIMEOUT_MS = 2_000;
/** Longest time of one statement, and between two: `settle` works on other connections meanwhile. Then the server gives back the locks. */
const STATEMENT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 5_000;

export interface Switch {
  readonly positions: RebuildPositions;
  /** Locks the row of the rebuild, so that nobody can be given it. @throws SluiceError `conflict` when it is lost */
  lockRebuild(): Promise<void>;
  /** See RebuildWork.switchOver. */
  settle(): Promise<boolean>;
  /** Records what the live model lacks, where positions are kept. */
  recordLacking(): Promise<void>;
}

/**
 * Exchanges the models; to be called in a transaction, which is to be rolled back unless the outcome is `switched`.
 *
 * Who records takes the counter's row first of all, so a lock of its table lets those finish who have it and holds up those
 * who come. These look for the table by its name again when they get the lock, and find the new one. Whoever would have
 * kept the old one finds no counter in it, and can record nothing.
 */
export async function switchOver(
  client: PoolClient,
  { positions, lockRebuild, settle, recordLacking }: Switch,
): Promise<SwitchOutcome> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
  await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`);
  if (!(await haltMigrations(client))) return 'not_yet';
  await client.query(`LOCK TABLE ${LIVE_SCHEMA}.position_counter IN EXCLUSIVE MODE`);
  if (!(await settle())) return 'not_yet';
  // Those who replay parked records, and the publisher.
  await client.query(
    `LOCK TABLE ${LIVE_SCHEMA}.parked_records, ${LIVE_SCHEMA}.publisher_lease IN SHARE ROW EXCLUSIVE MODE`,
  );
  await lockRebuild();
  // What is carried over has to fit.
  if (!(await isUpToDate(client))) return 'outdated';
  for (const statement of positions === 'keep' ? CARRY_OVER_KEPT : CARRY_OVER_RENUMBERED) await client.query(statement);
  if (positions === 'keep') await recordLacking();
  await client.query(`DROP TABLE ${NEXT_SCHEMA}.${VARIANTS_TABLE}, ${NEXT_SCHEMA}.${LACKING_TABLE}`);
  await refuseDependents(client, LIVE_SCHEMA);
  const functions = await functionDefinitions(client, LIVE_SCHEMA);
  await client.query(`ALTER SCHEMA ${LIVE_SCHEMA} RENAME TO ${OLD_SCHEMA}`);
  await client.query(`ALTER SCHEMA ${NEXT_SCHEMA} RENAME TO ${LIVE_SCHEMA}`);
  // While it was built, its functions named its tables by the name that they had.
  for (const definition of functions) await client.query(definition);
  await client.query(`UPDATE ${OLD_SCHEMA}.position_counter SET id = 0`);
  await client.query(`UPDATE ${OLD_SCHEMA}.publisher_lease SET id = 0`);
  await client.query(`NOTIFY ${RECORDED_CHANNEL}`);
  return 'switched';
}

/** Until the end of the transaction no migration is applied. False while one is. */
export async function haltMigrations(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [
    MIGRATION_LOCK,
  ]);
  return rows[0]?.locked === true;
}

/**
 * What is not in the log, and is carried over: how far the publisher is, what was parked, with its ids and what became of it,
 * and up to where retention has removed.
 */
const CARRY_OVER_KEPT = [
  `UPDATE ${NEXT_SCHEMA}.position_counter n SET last_position = l.last_position, epoch = l.epoch
    FROM ${LIVE_SCHEMA}.position_counter l`,
  `DELETE FROM ${NEXT_SCHEMA}.publisher_lease`,
  `INSERT INTO ${NEXT_SCHEMA}.publisher_lease SELECT * FROM ${LIVE_SCHEMA}.publisher_lease`,
  `INSERT INTO ${NEXT_SCHEMA}.parked_records SELECT * FROM ${LIVE_SCHEMA}.parked_records`,
  `SELECT setval('${NEXT_SCHEMA}.parked_records_parked_id_seq', last_value, is_called)
    FROM ${LIVE_SCHEMA}.parked_records_parked_id_seq`,
  `INSERT INTO ${NEXT_SCHEMA}.retention_floors SELECT * FROM ${LIVE_SCHEMA}.retention_floors`,
];

/**
 * No floors: in the new numbering nobody has missed what was removed before it. The publisher goes on from the head of the new numbering: followers begin there. A holder of the lease of before loses it.
 * What was parked is parked again, with a new id and with what became of it.
 */
const CARRY_OVER_RENUMBERED = [
  `UPDATE ${NEXT_SCHEMA}.publisher_lease n SET published = c.last_position, fencing_token = l.fencing_token + 1
    FROM ${NEXT_SCHEMA}.position_counter c, ${LIVE_SCHEMA}.publisher_lease l`,
  `UPDATE ${NEXT_SCHEMA}.parked_records n SET parked_at = p.parked_at, replayed_at = p.replayed_at
    FROM ${LIVE_SCHEMA}.parked_records p WHERE p.lane = n.lane AND p.index = n.index`,
];
