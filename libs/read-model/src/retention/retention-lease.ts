import { SluiceError } from '@sluice/event-log';
import type { Queries } from '../database';

/** The right of one process to remove what is too old. */
export interface RetentionGrant {
  readonly holder: string;
  readonly fencingToken: string;
}

/** Takes the lease when nobody has it. The database's clock decides. */
export async function claimLease(
  queries: Queries,
  holder: string,
  leaseMs: number,
): Promise<RetentionGrant | undefined> {
  const [row] = await queries.$queryRaw<{ fencing_token: string }[]>`
    UPDATE maintenance.retention_lease SET holder = ${holder}, fencing_token = fencing_token + 1,
      expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE id = 1 AND expires_at <= clock_timestamp()
    RETURNING fencing_token`;
  return row && { holder, fencingToken: row.fencing_token };
}

/** @throws SluiceError `conflict` when the lease is somebody else's */
export async function renewLease(queries: Queries, grant: RetentionGrant, leaseMs: number): Promise<void> {
  const renewed = await queries.$executeRaw`
    UPDATE maintenance.retention_lease SET expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE id = 1 AND fencing_token = ${grant.fencingToken}::bigint`;
  if (renewed === 0) throw leaseLost();
}

/** @throws SluiceError `conflict` when the lease is somebody else's */
export async function releaseLease(queries: Queries, { fencingToken }: RetentionGrant): Promise<void> {
  // Instants are rounded when they are stored: this one is over for sure.
  const released = await queries.$executeRaw`
    UPDATE maintenance.retention_lease SET expires_at = clock_timestamp() - interval '1 second'
    WHERE id = 1 AND fencing_token = ${fencingToken}::bigint`;
  if (released === 0) throw leaseLost();
}

/** Locks the lease until the end of the transaction. @throws SluiceError `conflict` when it is somebody else's */
export async function holdLease(queries: Queries, { fencingToken }: RetentionGrant): Promise<void> {
  const rows = await queries.$queryRaw<unknown[]>`
    SELECT 1 FROM maintenance.retention_lease WHERE id = 1 AND fencing_token = ${fencingToken}::bigint FOR NO KEY UPDATE`;
  if (rows.length === 0) throw leaseLost();
}

/** Waits for what its holder is just doing; until the end of the transaction nobody removes anything. */
export async function haltRetention(queries: Queries): Promise<void> {
  await queries.$executeRaw`SELECT FROM maintenance.retention_lease WHERE id = 1 FOR UPDATE`;
}

function leaseLost(): SluiceError {
  return new SluiceError('conflict', 'Somebody else removes what is too old');
}
