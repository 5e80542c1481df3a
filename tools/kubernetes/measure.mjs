// What one replica of each app, and the stores beneath them, take for each event, delivery, connection and request.
// `node tools/kubernetes/measure.mjs` starts brokers and one process of each app, and ends them (Linux; after a build).
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Child } from '../bench/child.mjs';
import { freePort } from '../brokers/ports.mjs';
import { startCluster } from '../cluster/cluster.mjs';
import { measureCommitChain } from './measures/commit-chain.mjs';
import { measureConnections } from './measures/connections.mjs';
import { measureFanOut } from './measures/fan-out.mjs';
import { measureIdle } from './measures/idle.mjs';
import { memoryOf } from './measures/processes.mjs';
import { measureRequests } from './measures/requests.mjs';
import { measureStoredBytes } from './measures/stored-bytes.mjs';
import { measureWebhooks } from './measures/webhooks.mjs';

/** A process that was just started compiles what it runs, and collects what it needed for that. */
const SETTLE_MS = 45_000;
/** Far above what is measured, so that no limit of a caller bounds it. */
const LIMITS = {
  SLUICE_KEY_REQUESTS_PER_SECOND: '1000000',
  SLUICE_KEY_CONNECTIONS: '20000',
  SLUICE_MAX_CONNECTIONS: '20000',
  SLUICE_PUBSUB_MAX_CONNECTIONS: '20000',
  SLUICE_LOG_LEVEL: 'warn',
};
const MEASURES = {
  connections: measureConnections,
  requests: measureRequests,
  'fan-out': measureFanOut,
  webhooks: measureWebhooks,
  'stored-bytes': measureStoredBytes,
  'commit-chain': measureCommitChain,
};

function optionsOf(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      json: { type: 'string' },
      projectors: { type: 'string', default: '3' },
      setting: { type: 'string', multiple: true, default: [] },
    },
  });
  const wanted = values.only?.split(',') ?? Object.keys(MEASURES);
  const unknown = wanted.find((name) => !(name in MEASURES));
  if (unknown !== undefined) throw new Error(`unknown "${unknown}"; there are: ${Object.keys(MEASURES).join(', ')}`);
  return {
    measures: Object.keys(MEASURES).filter((name) => wanted.includes(name)),
    jsonFile: values.json,
    projectors: Number(values.projectors),
    env: Object.fromEntries(values.setting.map((text) => text.split('=', 2))),
  };
}

async function main() {
  const { measures, jsonFile, projectors, env } = optionsOf(process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'sluice-measure-'));
  // PostgreSQL runs as another user where this is root.
  await chmod(folder, 0o755);
  const [dataDir, gcFolder] = [join(folder, 'data'), join(folder, 'gc')];
  for (const each of [dataDir, gcFolder]) await mkdir(each);
  const hook = pathToFileURL(fileURLToPath(new URL('../bench/gc-hook.mjs', import.meta.url)));
  hook.searchParams.set('folder', gcFolder);
  const children = [];
  const results = {};
  const receiverPort = await freePort();
  const cluster = await startCluster({
    httpPort: 0,
    pubsubPort: 0,
    dataDir,
    durable: true,
    replicas: measures.includes('commit-chain') ? { projector: projectors } : {},
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...LIMITS,
      SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: `http://127.0.0.1:${receiverPort}`,
      ...env,
    },
    nodeArgsOf: () => ['--expose-gc', '--import', hook.href],
  });
  try {
    const { apps, dev } = cluster;
    const idleReplicas = Object.values(apps).filter(({ name }) => /^projector-/.test(name));
    for (const app of idleReplicas) await app.stop();
    const context = {
      cluster,
      dataDir,
      gcFolder,
      receiverPort,
      system: { ingestUrl: apps.ingest.url, queryUrl: apps.query.url, apiKey: dev.apiKey, adminKey: dev.adminKey },
      startChild: async () => {
        const child = await Child.start('load/worker.mjs');
        children.push(child);
        return child;
      },
      report: (name, rows) => {
        results[name] = rows;
        console.log(`\n${name}`);
        console.table(rows.map(rounded));
      },
    };
    await delay(SETTLE_MS);
    const idleUsPerSecond = await measureIdle(context);
    for (const name of measures) {
      console.log(`\n[${new Date().toISOString()}] ${name}`);
      await MEASURES[name]({ ...context, idleUsPerSecond });
    }
    context.report(
      'resident memory at the end',
      Object.entries(memoryOf(cluster)).map(([name, bytes]) => ({ process: name, MiB: bytes / 2 ** 20 })),
    );
    const machine = { processor: cpus()[0]?.model, parallelism: availableParallelism(), node: process.version };
    if (jsonFile) await writeFile(jsonFile, `${JSON.stringify({ machine, results }, null, 2)}\n`);
  } finally {
    for (const child of children) await child.stop();
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Four digits say enough. */
const rounded = (row) =>
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toPrecision(4)) : value]),
  );

await main();
