import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { PrismaClient, type Prisma } from './generated/client';

export interface DatabaseOptions {
  readonly databaseUrl: string;
  /** Most connections of this process. */
  readonly poolSize?: number;
  /** Longest time of one statement, in milliseconds; 15 s by default. */
  readonly statementTimeoutMs?: number;
  /** Longest pause between two statements of one transaction, in milliseconds; 10 s by default. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Longest time of one statement of a reader's list, in milliseconds; 2 s by default. */
  readonly listTimeoutMs?: number;
}

/** Longest wait for a connection, and for one statement: a stuck database is an error, never a hang. */
const CONNECT_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 15_000;
const QUERY_TIMEOUT_GRACE_MS = 1_000;

/** After so long between two statements the server ends a transaction: a process that is frozen may hold the counter. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;

/** Longest time of one statement of a list whose conditions readers choose. */
const LIST_TIMEOUT_MS = 2_000;

/**
 * Every read here is a page in the order of an index. With little or old statistics the planner takes an entity for small
 * and would rather collect and sort all of its events, which grows with the entity.
 */
export const SESSION_OPTIONS = '-c enable_bitmapscan=off';

export const DEFAULT_POOL_SIZE = 10;

/**
 * For rebuilds and erasures. A rebuild copies, projects, renews its lease and waits for a switch at the same time; what they do in
 * bulk takes long.
 */
const MAINTENANCE_POOL_SIZE = 6;
const MAINTENANCE_STATEMENT_TIMEOUT_MS = 120_000;

/** Most connections of this process that read such lists: however slow those are, all else goes on. */
export const LIST_POOL_SIZE = 4;

export type Database = PrismaClient;

type Query<Result> = (query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]) => Promise<Result>;

/** The tagged template part of a client or of a transaction: what the queries of this library are written against. */
export interface Queries {
  $queryRaw<Rows>(...query: Parameters<Query<Rows>>): Promise<Rows>;
  readonly $executeRaw: Query<number>;
}

/** One pool of connections, for the client and for what goes past it, and small ones for the lists of readers and for maintenance. */
export interface Connections {
  readonly database: Database;
  readonly pool: Pool;
  readonly lists: Pool;
  readonly maintenance: Pool;
  close(): Promise<void>;
}

export function openConnections({
  databaseUrl,
  poolSize = DEFAULT_POOL_SIZE,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
  listTimeoutMs = LIST_TIMEOUT_MS,
  idleInTransactionTimeoutMs = IDLE_IN_TRANSACTION_TIMEOUT_MS,
}: DatabaseOptions): Connections {
  const open = (max: number, statementMs: number) =>
    openPool(databaseUrl, max, statementMs, idleInTransactionTimeoutMs);
  const pool = open(poolSize, statementTimeoutMs);
  const lists = open(LIST_POOL_SIZE, listTimeoutMs);
  const maintenance = open(MAINTENANCE_POOL_SIZE, MAINTENANCE_STATEMENT_TIMEOUT_MS);
  const database = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: CONNECT_TIMEOUT_MS, timeout: statementTimeoutMs },
  });
  const close = async () => {
    await database.$disconnect();
    await Promise.all([pool.end(), lists.end(), maintenance.end()]);
  };
  return { database, pool, lists, maintenance, close };
}

/** It connects when it is first asked. */
function openPool(
  connectionString: string,
  max: number,
  statementTimeoutMs: number,
  idleInTransactionTimeoutMs: number,
): Pool {
  const pool = new Pool({
    connectionString,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    // The server's own limit does not help where the network has gone silent.
    query_timeout: statementTimeoutMs + QUERY_TIMEOUT_GRACE_MS,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    options: SESSION_OPTIONS,
    keepAlive: true,
  });
  // An idle connection that is lost leaves the pool by itself; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}
