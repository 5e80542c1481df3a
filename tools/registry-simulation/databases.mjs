import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalPostgres } from '@sluice/local-postgres';

const require = createRequire(import.meta.url);

/**
 * A database for each run, on the server of `SLUICE_TEST_DATABASE_URL` or, without it, on one that is started for this.
 */
export async function openDatabases(serverUrl = process.env.SLUICE_TEST_DATABASE_URL) {
  const own = serverUrl === undefined ? await startOwn() : undefined;
  const url = own?.databaseUrl ?? serverUrl;
  const { Client } = require('pg');
  const client = new Client({ connectionString: url });
  await client.connect();
  return {
    /** @returns its URL */
    create: async (name) => {
      await client.query(`CREATE DATABASE "${name}"`);
      const made = new URL(url);
      made.pathname = `/${name}`;
      return made.href;
    },
    drop: (name) => client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
    close: async () => {
      await client.end();
      await own?.stop();
    },
  };
}

async function startOwn() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-simulation-postgres-'));
  // As root, PostgreSQL runs as another user, who has to come here.
  await chmod(folder, 0o755);
  const postgres = await startLocalPostgres({ dataDir: folder });
  return {
    databaseUrl: postgres.databaseUrl,
    stop: async () => {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
