import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../brokers/ports.mjs';
import { startReaper } from '../brokers/reaper.mjs';

const INSTALL_TIMEOUT_MS = 300_000;
const RUN_TIMEOUT_MS = 900_000;
const STOP_TIMEOUT_MS = 20_000;
const TAIL_CHARS = 4_000;

/** What ponder wants beside itself. */
const PEERS = { viem: '2.43.5', hono: '4.5.0' };

const BEGINS = /Started .* historical sync|Started backfill indexing|Started indexing/;
const ENDS = /Completed historical indexing|Completed backfill indexing/;
const SCHEMA = 'bench';

/**
 * Installs ponder into a folder of its own, with the application of `ponder-app`.
 *
 * @returns {Promise<{folder: string, version: string, remove: () => Promise<void>} | {missing: string}>}
 */
export async function installPonder(version, log) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-ponder-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const dependencies = { ponder: version, ...PEERS };
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'bench', private: true, type: 'module', dependencies }),
  );
  log(`installing ponder ${version}`);
  const child = spawn('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INSTALL_TIMEOUT_MS,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (said = (said + chunk).slice(-TAIL_CHARS)));
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', resolve);
  });
  if (code !== 0) {
    await remove();
    return { missing: `ponder ${version} cannot be installed: ${said.trim().split('\n').at(-1) ?? code}` };
  }
  const from = new URL('./ponder-app/', import.meta.url).pathname;
  await mkdir(join(folder, 'src', 'api'), { recursive: true });
  await cp(join(from, 'ponder.config.mjs'), join(folder, 'ponder.config.ts'));
  await cp(join(from, 'schema.mjs'), join(folder, 'ponder.schema.ts'));
  await cp(join(from, 'handlers.mjs'), join(folder, 'src', 'index.ts'));
  await writeFile(join(folder, 'src', 'api', 'index.ts'), "import { Hono } from 'hono';\nexport default new Hono();\n");
  const installed = JSON.parse(await readFile(join(folder, 'node_modules', 'ponder', 'package.json'), 'utf8'));
  const config = await readFile(
    join(folder, 'node_modules', 'ponder', 'dist', 'types', 'config', 'index.d.ts'),
    'utf8',
  );
  return { folder, version: installed.version, hasNetworks: /^\s+networks: /m.test(config), remove };
}

/**
 * Lets ponder read the whole chain from nothing.
 *
 * @param {{ponder: {folder: string, hasNetworks: boolean}, entry: any, expected: {agents: number, feedback: number},
 *   databases: any, database: 'postgres' | 'pglite'}} options
 * @returns {Promise<{projectedMs: number}>} between the lines in which it says that it begins and that it is done
 */
export async function runPonder({ ponder, entry, expected, databases, database }) {
  const { folder } = ponder;
  await rm(join(folder, '.ponder'), { recursive: true, force: true });
  const databaseUrl = database === 'postgres' ? await databases.create('ponder') : undefined;
  const port = await freePort();
  const program = join(folder, 'node_modules', 'ponder', 'dist', 'esm', 'bin', 'ponder.js');
  const { PATH, HOME } = process.env;
  const args = ['start', '--schema', SCHEMA, '-p', String(port), '-H', '127.0.0.1', '--log-format', 'json'];
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: {
      ...{ PATH, HOME },
      PONDER_TELEMETRY_DISABLED: 'true',
      BENCH_RPC_URL: entry.rpcUrls[0],
      BENCH_CHAIN_ID: String(entry.chainId),
      BENCH_IDENTITY: entry.identityRegistry,
      BENCH_REPUTATION: entry.reputationRegistry,
      BENCH_START_BLOCK: String(entry.startBlock),
      BENCH_NETWORKS: String(ponder.hasNetworks),
      ...(databaseUrl && { BENCH_DATABASE_URL: databaseUrl }),
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const reaper = startReaper([]);
  reaper.add(child.pid, 'TERM');
  try {
    const projectedMs = await timeOf(child);
    if (databaseUrl !== undefined) await requireRows(databaseUrl, expected);
    return { projectedMs };
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(late);
    }
    reaper.done();
    if (databaseUrl !== undefined) await databases.drop('ponder');
  }
}

function timeOf(child) {
  return new Promise((resolve, reject) => {
    let startedAt;
    let tail = '';
    const late = setTimeout(() => reject(new Error(`ponder did not end: ${tail}`)), RUN_TIMEOUT_MS);
    const read = (line) => {
      tail = `${tail}${line}\n`.slice(-TAIL_CHARS);
      if (startedAt === undefined && BEGINS.test(line)) startedAt = performance.now();
      if (startedAt === undefined || !ENDS.test(line)) return;
      clearTimeout(late);
      resolve(performance.now() - startedAt);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', read);
    child.once('exit', () => {
      clearTimeout(late);
      reject(new Error(`ponder ended: ${tail}`));
    });
  });
}

/** It has to have read the same. */
async function requireRows(databaseUrl, expected) {
  const { Client } = createRequire(import.meta.url)('pg');
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const [table, rows] of Object.entries(expected)) {
      const found = Number((await client.query(`SELECT count(*) AS rows FROM ${SCHEMA}.${table}`)).rows[0].rows);
      if (found !== rows) throw new Error(`ponder has ${found} rows of ${table} instead of ${rows}`);
    }
  } finally {
    await client.end();
  }
}
