import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { startReaper } from '../brokers/reaper.mjs';
import { startCluster } from '../cluster/cluster.mjs';
import { root } from '../set-up.mjs';

const TIMEOUT_MS = 600_000;
const POLL_MS = 20;
const STOP_TIMEOUT_MS = 40_000;
const TAIL_CHARS = 4_000;

const BEGINS = 'watches the chain';

/** Our own events of the chain: a transfer is an update too, and a revocation changes the score. */
export function expectedEvents(counts) {
  const { Registered, NewFeedback, URIUpdated, Transfer, FeedbackRevoked, ResponseAppended } = counts;
  return Registered + NewFeedback + URIUpdated + 2 * Transfer + 2 * FeedbackRevoked + ResponseAppended;
}

/**
 * Lets our watcher read the whole chain, in one process with everything else, or in the processes of a cluster.
 *
 * @param {{engine: 'embedded' | 'cluster', entry: object, expected: number, databases: any, nodeArgs?: string[]}} options
 * @returns {Promise<{durableMs: number | undefined, projectedMs: number}>} from the moment at which it takes the chain until
 * the durable log, and until the read model, has every event
 */
export async function runOurs({ engine, entry, expected, databases, nodeArgs = [] }) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-registry-bench-'));
  // As root, PostgreSQL runs as another user, who has to come here.
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  const chainsFile = join(folder, 'chains.json');
  await writeFile(chainsFile, JSON.stringify([entry]));
  try {
    const start = engine === 'embedded' ? startEmbedded : startOnCluster;
    const system = await start({ dataDir, databases, nodeArgs, env: { SLUICE_CHAINS_FILE: chainsFile } });
    try {
      return await measure(system, engine, expected);
    } finally {
      await system.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure({ begun, databaseUrl, output }, engine, expected) {
  const { Client } = createRequire(import.meta.url)('pg');
  const startedAt = await begun;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const numberOf = async (text) => Number((await client.query(text)).rows[0]?.number ?? 0);
  const logged = () => numberOf('SELECT next_index AS number FROM durable_log.lanes');
  const projected = () => numberOf('SELECT last_position AS number FROM read_model.position_counter');
  let durableMs;
  try {
    for (const deadline = startedAt + TIMEOUT_MS; ; await pause(POLL_MS)) {
      if (engine === 'embedded' && durableMs === undefined && (await logged()) >= expected) {
        durableMs = performance.now() - startedAt;
      }
      const found = await projected();
      if (found >= expected) {
        const projectedMs = performance.now() - startedAt;
        if (found > expected) throw new Error(`${found} events instead of ${expected}`);
        return { durableMs, projectedMs };
      }
      if (performance.now() > deadline) throw new Error(`${found} of ${expected} events: ${output()}`);
    }
  } finally {
    await client.end();
  }
}

/** Resolves at the line that says that the chain is being read from now on. */
function beginning() {
  let begin;
  const begun = new Promise((resolve) => (begin = resolve));
  return { begun, read: (line) => line.includes(BEGINS) && begin(performance.now()) };
}

async function startEmbedded({ dataDir, databases, env, nodeArgs }) {
  const main = join(root, 'apps', 'all-in-one', 'dist', 'main.js');
  if (!existsSync(main)) throw new Error('build first: npm run build');
  const databaseUrl = await databases.create('ours');
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [...nodeArgs, main], {
    env: {
      ...{ PATH, HOME },
      ...env,
      SLUICE_DATA_DIR: dataDir,
      SLUICE_DATABASE_URL: databaseUrl,
      SLUICE_HTTP_PORT: '0',
      SLUICE_PUBSUB_PORT: '0',
      SLUICE_GATEWAY_PORT: '0',
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const reaper = startReaper([]);
  reaper.add(child.pid, 'TERM');
  const { begun, read } = beginning();
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail = `${tail}${line}\n`.slice(-TAIL_CHARS);
      read(line);
    });
  }
  const ended = once(child, 'exit').then(() => {
    throw new Error(`it ended: ${tail}`);
  });
  ended.catch(() => undefined);
  return {
    begun: Promise.race([begun, ended]),
    databaseUrl,
    output: () => tail,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
        await exited;
        clearTimeout(late);
      }
      reaper.done();
      await databases.drop('ours');
    },
  };
}

async function startOnCluster({ dataDir, env, nodeArgs }) {
  const { begun, read } = beginning();
  let tail = '';
  const { PATH, HOME } = process.env;
  const cluster = await startCluster({
    httpPort: 0,
    pubsubPort: 0,
    dataDir,
    durable: true,
    env: { PATH, HOME, ...env },
    nodeArgsOf: () => nodeArgs,
    log: (app, line) => {
      if (app !== 'registry-watcher') return;
      tail = `${tail}${line}\n`.slice(-TAIL_CHARS);
      read(line);
    },
  });
  return { begun, databaseUrl: cluster.brokers.databaseUrl, output: () => tail, stop: () => cluster.stop() };
}
