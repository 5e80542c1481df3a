import type { FreshDatabase } from './fresh-database';

/** What differs between two builds of one log at two times, and nothing else. */
export const BUILD_TIMES = ['recorded_at', 'parked_at', 'epoch'] as const;

/** Every row of every table of a schema, as text and in one order, without some columns; and where its sequences are. */
export async function dumpModel(
  database: Pick<FreshDatabase, 'query'>,
  schema: string,
  without: readonly string[] = [],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const dump: Record<string, readonly string[]> = {};
  const columns = (await database.query(`
    SELECT c.relname AS table, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = '${schema}'::regnamespace
      AND a.attname <> ALL (ARRAY[${without.map((name) => `'${name}'`).join(', ')}]::text[])
    GROUP BY c.relname ORDER BY c.relname`)) as { table: string; columns: string }[];
  for (const { table, columns: names } of columns) {
    const rows = (await database.query(
      `SELECT ROW(${names})::text AS row FROM ${schema}.${table} ORDER BY ROW(${names})::text COLLATE "C"`,
    )) as { row: string }[];
    dump[table] = rows.map(({ row }) => row);
  }
  const sequences = (await database.query(`
    SELECT sequencename || ' ' || coalesce(last_value::text, '-') AS row FROM pg_sequences
    WHERE schemaname = '${schema}' ORDER BY 1`)) as { row: string }[];
  dump['sequences'] = sequences.map(({ row }) => row);
  return dump;
}
