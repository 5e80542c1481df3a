import { Client } from 'pg';

/** Runs one statement on a connection of its own: for tests that bring a database to where time would bring it. */
export async function runStatement(databaseUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
