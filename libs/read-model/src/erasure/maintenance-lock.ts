import type { Queries } from '../database';

/** Names the lock among those of the database. */
const LOCK = 72_707_370;

/** Until the end of the transaction nobody else asks for a rebuild or an erasure: each looks whether there is one of the other. */
export async function keepRebuildsApart(queries: Queries): Promise<void> {
  await queries.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK})`;
}
