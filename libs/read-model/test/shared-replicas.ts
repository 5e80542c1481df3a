import { openReadModel, type PrismaReadModel } from '../src';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

/** Two replicas on one database, for a whole suite. */
export interface SharedReplicas {
  /** The two in turn. */
  open(): PrismaReadModel;
  query(sql: string): Promise<unknown[]>;
  databaseUrl(): string;
}

/** Empties what the app of sessions keeps. Of the few rows of a test, deleting them is quicker than truncating. */
export const EMPTY_SESSIONS = [
  'sessions',
  'deadlines',
  'events',
  'outbox',
  'waiting_outboxes',
  'receipts',
  'dispatches',
  'documents',
  'document_sizes',
]
  .map((table) => `DELETE FROM agent_sessions.${table};`)
  .join(' ');

/** Opens them before the tests of this file, and lets go of them afterwards. */
export function shareReplicas(): SharedReplicas {
  let database: FreshDatabase | undefined;
  let replicas: PrismaReadModel[] = [];
  let opened = 0;

  beforeAll(async () => {
    database = await createFreshDatabase();
    const { url } = database;
    replicas = [await openReadModel({ databaseUrl: url }), await openReadModel({ databaseUrl: url })];
  });

  afterAll(async () => {
    for (const replica of replicas) await replica.close();
    await database?.drop();
  });

  const made = () => {
    if (!database) throw new Error('no database outside of a test');
    return database;
  };
  return {
    open: () => {
      const replica = replicas[opened++ % 2];
      if (!replica) throw new Error('no replica outside of a test');
      return replica;
    },
    query: (sql) => made().query(sql),
    databaseUrl: () => made().url,
  };
}
