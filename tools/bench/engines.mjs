import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startReaper } from '../brokers/reaper.mjs';
import { root } from '../set-up.mjs';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 40_000;
const TAIL_CHARS = 4_000;

/** Far above what is measured, so that no limit of a caller bounds it: all load comes with one API key. */
const LIMITS = {
  SLUICE_KEY_REQUESTS_PER_SECOND: '1000000',
  SLUICE_KEY_CONNECTIONS: '20000',
  SLUICE_MAX_CONNECTIONS: '20000',
  SLUICE_PUBSUB_MAX_CONNECTIONS: '20000',
};

/**
 * @typedef {object} System what is measured
 * @property {'embedded' | 'cluster'} engine
 * @property {string} ingestUrl @property {string} sseUrl @property {string} queryUrl
 * @property {{ host: string, port: number } | undefined} pubsub undefined where there is no TCP port
 * @property {string} apiKey @property {string} adminKey
 * @property {string | undefined} kafkaBrokers
 * @property {Record<string, number>} pids of the apps by name
 * @property {string} sseApp @property {string} tcpApp names in `pids`
 * @property {string} gcFolder where `gc-hook.mjs` writes @property {string} profileFolder
 * @property {() => Promise<void>} stop @property {() => Promise<void>} removeFolder only after `stop`
 */

/**
 * @param {'embedded' | 'cluster'} engine
 * @param {{ isProfiled: boolean, log: (line: string) => void }} options
 * @returns {Promise<System>}
 * @throws Error with the end of its output where it does not start
 */
export async function startSystem(engine, options) {
  if (!existsSync(join(root, 'apps', 'all-in-one', 'dist', 'main.js'))) throw new Error('build first: npm run build');
  const folder = await mkdtemp(join(tmpdir(), `sluice-bench-${engine}-`));
  // As root, PostgreSQL runs as another user, who has to come here.
  await chmod(folder, 0o755);
  const gcFolder = join(folder, 'gc');
  const profileFolder = join(folder, 'profiles');
  const dataDir = join(folder, 'data');
  for (const each of [gcFolder, profileFolder, dataDir]) await mkdir(each);
  const hook = pathToFileURL(fileURLToPath(new URL('gc-hook.mjs', import.meta.url)));
  hook.searchParams.set('folder', gcFolder);
  const nodeArgsOf = (app) => [
    '--expose-gc',
    '--import',
    hook.href,
    ...(options.isProfiled
      ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${app}.cpuprofile`]
      : []),
  ];
  const start = engine === 'embedded' ? startEmbedded : startOnCluster;
  try {
    const system = await start({ dataDir, nodeArgsOf, log: options.log });
    return {
      engine,
      ...system,
      gcFolder,
      profileFolder,
      removeFolder: () => rm(folder, { recursive: true, force: true }),
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function environment() {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...LIMITS };
}

async function startEmbedded({ dataDir, nodeArgsOf }) {
  const main = join(root, 'apps', 'all-in-one', 'dist', 'main.js');
  const child = spawn(process.execPath, [...nodeArgsOf('all-in-one'), main], {
    env: {
      ...environment(),
      SLUICE_DATA_DIR: dataDir,
      SLUICE_HTTP_PORT: '0',
      SLUICE_PUBSUB_PORT: '0',
      SLUICE_GATEWAY_PORT: '0',
    },
    // Ctrl-C is for the benchmark, which then ends it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const reaper = startReaper([]);
  reaper.add(child.pid, 'TERM');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output = (output + chunk).slice(-TAIL_CHARS)));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(late);
    }
    reaper.done();
  };
  const file = join(dataDir, 'dev.json');
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!output.includes('Sluice is ready') || !existsSync(file)) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`the one-process app did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { baseUrl, pubsub, apiKey, adminKey } = JSON.parse(await readFile(file, 'utf8'));
  return {
    ingestUrl: baseUrl,
    sseUrl: baseUrl,
    queryUrl: baseUrl,
    pubsub,
    apiKey,
    adminKey,
    kafkaBrokers: undefined,
    pids: { 'all-in-one': child.pid },
    sseApp: 'all-in-one',
    tcpApp: 'all-in-one',
    stop,
  };
}

async function startOnCluster({ dataDir, nodeArgsOf, log }) {
  const { startCluster } = await import('../cluster/cluster.mjs');
  const cluster = await startCluster({
    httpPort: 0,
    pubsubPort: 0,
    dataDir,
    durable: true,
    env: environment(),
    nodeArgsOf,
    log: (app, line) => {
      if (app === 'brokers') log(line);
    },
  });
  const { dev, apps, brokers } = cluster;
  return {
    // The apps themselves: the small proxy of the local cluster is not what is measured.
    ingestUrl: apps.ingest.url,
    sseUrl: apps['sse-stream'].url,
    queryUrl: apps.query.url,
    pubsub: dev.pubsub,
    apiKey: dev.apiKey,
    adminKey: dev.adminKey,
    kafkaBrokers: brokers.kafkaBrokers,
    pids: Object.fromEntries(Object.values(apps).map(({ name, pid }) => [name, pid])),
    sseApp: 'sse-stream',
    tcpApp: 'pubsub-tcp',
    stop: () => cluster.stop(),
  };
}
