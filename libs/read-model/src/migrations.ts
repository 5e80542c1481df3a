import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '@sluice/event-log';
import { Client } from 'pg';

/** The advisory lock that Prisma Migrate itself takes: our runner and the Prisma CLI never run at the same time. */
export const MIGRATION_LOCK = 72_707_369;

/** Longest wait for another process that is migrating. */
const LOCK_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 3_000;

/** Where the versioned SQL is, from `src` as well as from `dist`. */
const MIGRATIONS_FOLDER = join(__dirname, '..', 'prisma', 'migrations');

/** Prisma Migrate's own table, so that its CLI and this runner can be used in turn. */
const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

/**
 * Applies the migrations that the database does not have, each in one transaction, under a lock. Safe to call from any
 * number of processes at once.
 * @returns the names of the migrations that this call applied
 * @throws SluiceError `configuration` when an applied migration was edited or one fails; `read_model_unavailable` when
 *   the database cannot be reached, or another process holds the lock for a minute
 */
export async function applyMigrations(databaseUrl: string, folder = MIGRATIONS_FOLDER): Promise<readonly string[]> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    keepAlive: true,
  });
  // A connection that is lost between two statements is told by the next one.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new SluiceError('read_model_unavailable', 'PostgreSQL cannot be reached', { cause: error });
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(BOOKKEEPING);
    const applied = await appliedMigrations(client);
    const pending: string[] = [];
    for (const name of await migrationNames(folder)) {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const known = applied.get(name);
      if (known === undefined) {
        await applyOne(client, name, sql, checksum);
        pending.push(name);
      } else if (known !== checksum) {
        throw new SluiceError('configuration', `Migration ${name} was edited after it had been applied`);
      }
    }
    return pending;
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('read_model_unavailable', `Migrations cannot be applied: ${String(error)}`, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function migrationNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function appliedMigrations(client: Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

async function applyOne(client: Client, name: string, sql: string, checksum: string): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new SluiceError('configuration', `Migration ${name} failed: ${String(error)}`, { cause: error });
  }
}
