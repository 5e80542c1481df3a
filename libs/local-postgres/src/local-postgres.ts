import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SluiceError } from '@sluice/event-log';
import { Client } from 'pg';
import { findBinaries, type PostgresBinaries } from './binaries';
import { chooseClusterFolder, DATABASE_USER, initialiseCluster, readOrMakePassword } from './data-folder';
import { runProgram } from './run-program';
import { startServerProcess, type ServerProcess } from './server-process';
import { findServerUser, type ServerUser } from './server-user';

export interface LocalPostgres {
  readonly databaseUrl: string;
  /** Where its files are. */
  readonly folder: string;
  /** A fast shutdown. Idempotent. */
  stop(): Promise<void>;
}

export interface LocalPostgresOptions {
  /** Kept between starts. */
  readonly dataDir: string;
  /** Told of each step that takes a while. */
  onProgress?(line: string): void;
}

const DATABASE = 'sluice';

/** Held by a session of the process that owns the server: whoever gets it knows that no owner is alive. */
const OWNER_LOCK = 5_713_801;

/** PostgreSQL's code for it. */
const WRONG_PASSWORD = '28P01';

const START_TIMEOUT_MS = 60_000;
const CONNECT_INTERVAL_MS = 50;
/** How long the server of a process that was killed may need to end by itself. */
const PREDECESSOR_TIMEOUT_MS = 20_000;

/**
 * Starts PostgreSQL on a free port of the loopback, making its files at first use. A server that a killed process left
 * behind is ended first; one that is in use by a living process is an error.
 * @throws SluiceError `configuration`
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const dataDir = resolve(options.dataDir);
  const progress = (line: string) => options.onProgress?.(line);
  const user = await findServerUser();
  const folder = await usable(dataDir, chooseClusterFolder(dataDir, user));
  const password = await usable(dataDir, readOrMakePassword(folder));
  const binaries = await findBinaries(user);
  if (!existsSync(folder)) progress(`making a database in ${folder}`);
  await usable(dataDir, initialiseCluster(folder, password, binaries, user));
  await endPredecessor(folder, password, binaries, user);
  const server = await startServerProcess(binaries, folder, user);
  try {
    const owner = await connectWhenReady(server, password);
    await createDatabase(owner);
    return {
      databaseUrl: urlOf(server.port, password, DATABASE),
      folder,
      stop: async () => {
        await owner.end().catch(() => undefined);
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** What the system says against the data folder, as one line that names it. */
async function usable<T>(dataDir: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SluiceError('configuration', `The data folder ${dataDir} cannot be used: ${reason}`, { cause: error });
  }
}

function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${DATABASE_USER}:${password}@127.0.0.1:${port}/${database}`;
}

/** A connection that holds the owner's lock for as long as it lives. */
async function connectWhenReady(server: ServerProcess, password: string): Promise<Client> {
  const end = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await connectAsOwner(server.port, password);
    } catch (error) {
      if ((error as { code?: string }).code === WRONG_PASSWORD) {
        const message =
          'The password kept beside the database is not the one of the database: restore the whole folder';
        throw new SluiceError('configuration', message, { cause: error });
      }
      if (server.hasExited() || performance.now() > end) {
        throw new SluiceError('configuration', `PostgreSQL did not start: ${server.lastLines()}`, { cause: error });
      }
      await pause(CONNECT_INTERVAL_MS);
    }
  }
}

async function connectAsOwner(port: number, password: string): Promise<Client> {
  const client = new Client({ connectionString: urlOf(port, password, 'postgres'), keepAlive: true });
  // The server may be ended under us; what uses the database notices by itself.
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SELECT pg_advisory_lock($1)', [OWNER_LOCK]);
  return client;
}

async function createDatabase(client: Client): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
}

/** Ends a server that still runs on these files, unless a living process owns it. */
async function endPredecessor(
  folder: string,
  password: string,
  binaries: PostgresBinaries,
  user: ServerUser,
): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid');
  const end = performance.now() + PREDECESSOR_TIMEOUT_MS;
  // Usually it is ending already, because the pipe to its owner broke.
  while (existsSync(pidFile)) {
    const port = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[3]);
    const ownership = await askOwnership(port, password);
    if (ownership === 'owned') {
      throw new SluiceError('configuration', `${folder} is in use by another running Sluice`);
    }
    if (ownership === 'no_server') return;
    if (ownership === 'abandoned') await runProgram(binaries.pgCtl, ['stop', '-D', folder, '-m', 'fast', '-w'], user);
    if (performance.now() > end) throw new SluiceError('configuration', `A PostgreSQL on ${folder} does not end`);
    await pause(CONNECT_INTERVAL_MS);
  }
}

async function askOwnership(port: number, password: string): Promise<'owned' | 'abandoned' | 'ending' | 'no_server'> {
  if (!Number.isInteger(port) || port <= 0) return 'no_server';
  const client = new Client({ connectionString: urlOf(port, password, 'postgres'), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1) AS free', [OWNER_LOCK]);
    return rows[0]?.free === true ? 'abandoned' : 'owned';
  } catch (error) {
    // 57P03: it is starting up or shutting down. Anything else that answers is not our server.
    return (error as { code?: string }).code === '57P03' ? 'ending' : 'no_server';
  } finally {
    await client.end().catch(() => undefined);
  }
}
