import { Client } from 'pg';
import { SESSION_OPTIONS } from '../src/database';
import type { SentStatement } from './explain';

/** What a statement read of a table. */
export interface TableReads {
  readonly table: string;
  /** Rows that were looked at one after the other, without an index. */
  readonly sequentialRows: number;
  readonly indexedRows: number;
  readonly written: number;
}

/** Runs a statement, tells what it and the functions that it calls read, and undoes it. */
export async function readsOf(databaseUrl: string, { text, values }: SentStatement): Promise<readonly TableReads[]> {
  const client = new Client({ connectionString: databaseUrl, options: SESSION_OPTIONS });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(text, values);
    const { rows } = await client.query<TableReads>(`
      SELECT relname AS table, coalesce(seq_tup_read, 0)::int AS "sequentialRows",
        coalesce(idx_tup_fetch, 0)::int AS "indexedRows", (n_tup_ins + n_tup_upd + n_tup_del)::int AS written
      FROM pg_stat_xact_user_tables
      WHERE coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del > 0`);
    await client.query('ROLLBACK');
    return rows;
  } finally {
    await client.end();
  }
}
