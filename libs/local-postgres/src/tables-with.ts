import { Client, escapeIdentifier } from 'pg';

const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2`;

/**
 * The tables of a database, and the planner's statistics of them, that have a text anywhere in a row, in a column of bytes too.
 * It reads all of them: for tests of what was erased.
 */
export async function tablesWith(databaseUrl: string, text: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ schema: string; name: string }>(TABLES);
    const found: string[] = [];
    for (const { schema, name } of [...rows, { schema: 'pg_catalog', name: 'pg_stats' }]) {
      // As text, a column of bytes is written in hexadecimal digits.
      const { rows: hits } = await client.query<{ has: boolean }>(
        `SELECT EXISTS (SELECT FROM ${escapeIdentifier(schema)}.${escapeIdentifier(name)} AS t
          WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0) AS has`,
        [text, Buffer.from(text).toString('hex')],
      );
      if (hits[0]?.has) found.push(`${schema}.${name}`);
    }
    return found;
  } finally {
    await client.end();
  }
}
