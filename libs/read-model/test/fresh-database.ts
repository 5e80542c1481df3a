import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { applyMigrations } from '../src';
import { testDatabaseUrl } from './config';

export interface FreshDatabase {
  readonly name: string;
  readonly url: string;
  query(sql: string): Promise<unknown[]>;
  drop(): Promise<void>;
}

/** An empty database of its own for one test. */
export const createFreshDatabase = (): Promise<FreshDatabase> => createDatabase('template1');

let migrated: Promise<FreshDatabase> | undefined;

afterAll(async () => (await migrated)?.drop());

/** A database with all migrations for one test: a copy of the one that the first test of a file makes. */
export async function createMigratedDatabase(): Promise<FreshDatabase> {
  migrated ??= (async () => {
    const database = await createFreshDatabase();
    await applyMigrations(database.url);
    return database;
  })();
  return createDatabase((await migrated).name);
}

async function createDatabase(template: string): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await once(testDatabaseUrl(), `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(testDatabaseUrl());
  url.pathname = `/${name}`;
  return {
    name,
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
