import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { testDatabaseUrl } from './config';

export interface FreshDatabase {
  readonly url: string;
  query(sql: string): Promise<unknown[]>;
  drop(): Promise<void>;
}

/** A database of its own for one test. */
export async function createFreshDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await once(testDatabaseUrl(), `CREATE DATABASE ${name}`);
  const url = new URL(testDatabaseUrl());
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: (sql) => once(url.href, sql),
    drop: async () => void (await once(testDatabaseUrl(), `DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

async function once(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
