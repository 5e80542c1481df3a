import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { Queries } from './database';
import { Prisma } from './generated/client';

/**
 * One transaction on a connection of the pool, past Prisma's client: that would write all parameters as JSON and read them
 * again, which for a batch of events costs more than the rest. 64-bit integers come as texts here.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (queries: Queries, client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // The statement in hand rejects as well; without a listener the event would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  let failure: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(queriesOf(client), client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('error', ignore);
    // With an error the connection is thrown away, and the transaction with it.
    client.release(failure);
  }
}

/** A connection, or a pool of them. */
interface Querying {
  query(statement: QueryConfig): Promise<QueryResult>;
}

/** Statements past Prisma's client, see `inTransaction`. Of a pool each is a transaction of its own. */
export function queriesOf(client: Querying): Queries {
  const run = (...[query, ...values]: Parameters<Queries['$executeRaw']>) => {
    const sql = query instanceof Prisma.Sql ? query : Prisma.sql(query, ...values);
    return client.query({ text: sql.text, values: [...sql.values] });
  };
  return {
    $queryRaw: async <Rows>(...query: Parameters<typeof run>) => (await run(...query)).rows as Rows,
    $executeRaw: async (...query) => (await run(...query)).rowCount ?? 0,
  };
}
