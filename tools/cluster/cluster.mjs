import { join, resolve } from 'node:path';
import { startBrokers } from '../brokers/brokers.mjs';
import { freePort } from '../brokers/ports.mjs';
import { startReaper } from '../brokers/reaper.mjs';
import { root } from '../set-up.mjs';
import { AppProcess } from './app-process.mjs';
import { nodeArgsFor } from './node-args.mjs';
import { readOrMakeSecrets, writeDevFile } from './dev-file.mjs';
import { startProxy } from './proxy.mjs';
import { ReplicaPool } from './replica-pool.mjs';

/** The apps of the cluster, in the order in which they are started. */
export const APPS = [
  'projector',
  'ingest',
  'query',
  'workspace',
  'registry-watcher',
  'sessions',
  'webhooks',
  'sse-stream',
  'pubsub-tcp',
];

const HOST = '127.0.0.1';

/** The process of a replica is called as its app, from the second one on with its number: `sse-stream-2`. */
const replicaNames = (app, count) => Array.from({ length: count }, (_, n) => (n === 0 ? app : `${app}-${n + 1}`));

/** Brings one replica after the other down and up again, as a rolling update does. */
async function roll(replicas) {
  for (const replica of replicas) {
    await replica.kill('SIGTERM');
    await replica.untilReady();
  }
}

/**
 * Brings up the brokers, each app as a process of its own on the cluster engine, and a proxy in front of them.
 *
 * Everything that this call started, and nothing else, is ended by `stop()`, and also when this process ends in any
 * other way.
 *
 * @param {{
 *   httpPort?: number, pubsubPort?: number, dataDir?: string, durable?: boolean, replicas?: Record<string, number>,
 *   env?: Record<string, string | undefined>, nodeArgsOf?: (app: string) => readonly string[],
 *   launcher?: string, log?: (app: string, line: string) => void,
 * }} [options] Ports: 0 takes a free one. `durable`: see `startBrokers`. `env`: settings for every app.
 *   `replicas`: how many processes of an app, 1 where it is absent; requests go to those that serve, in turn.
 *   `nodeArgsOf`: arguments for Node.js, for instance of its profiler. `launcher`: a program that becomes each app: it is
 *   given the process's name and the command that it has to execute.
 */
export async function startCluster(options = {}) {
  const { httpPort = 8080, pubsubPort = 6380, durable = true, env = {}, nodeArgsOf = () => [] } = options;
  const { replicas = {}, launcher, log = () => undefined } = options;
  const dataDir = resolve(options.dataDir ?? '.sluice');
  const secrets = await readOrMakeSecrets(dataDir);
  const apps = {};
  const pools = Object.fromEntries(APPS.map((app) => [app, new ReplicaPool()]));
  // The address first: a taken port is told before anything else is started.
  const proxy = await startProxy({ host: HOST, port: httpPort, apps: APPS, urlOf: (app) => pools[app]?.next()?.url });
  const brokers = await startBrokers({
    durable,
    dataDir: join(dataDir, 'cluster'),
    log: (line) => log('brokers', line),
  }).catch(async (error) => {
    await proxy.close();
    throw error;
  });
  const reaper = startReaper([]);

  const stop = async () => {
    await proxy.close();
    await Promise.all(Object.values(apps).map((app) => app.stop()));
    reaper.done();
    await brokers.stop();
  };

  try {
    const tcpPort = pubsubPort || (await freePort());
    const shared = {
      ...env,
      SLUICE_ENGINE: 'cluster',
      SLUICE_KAFKA_BROKERS: brokers.kafkaBrokers,
      SLUICE_NATS_URL: brokers.natsUrl,
      SLUICE_DATABASE_URL: brokers.databaseUrl,
      SLUICE_TOKEN_SECRETS: secrets.tokenSecret,
      SLUICE_OPERATOR_KEYS: secrets.operatorKey,
      SLUICE_SECRETS_KEY: secrets.sealingKey,
      SLUICE_FILES_DIR: join(dataDir, 'files'),
      SLUICE_CALLBACK_URL: proxy.url,
      SLUICE_HTTP_HOST: HOST,
      SLUICE_TRUST_PROXY: '1',
      SLUICE_PUBSUB_HOST: HOST,
      SLUICE_PUBSUB_PORT: String(tcpPort),
    };
    for (const app of APPS) {
      for (const name of replicaNames(app, replicas[app] ?? 1)) {
        const port = await freePort();
        apps[name] = new AppProcess({
          name,
          url: `http://${HOST}:${port}`,
          main: join(root, 'apps', app, 'dist', 'main.js'),
          env: { ...shared, SLUICE_HTTP_PORT: String(port) },
          nodeArgs: [...nodeArgsFor(app), ...nodeArgsOf(app)],
          launcher,
          reaper,
          log: (line) => log(name, line),
        });
        pools[app].add(apps[name]);
      }
    }
    // One at a time: on a small machine they would only take the processor from each other.
    for (const app of Object.values(apps)) await app.start();
    const dev = await writeDevFile({
      dataDir,
      baseUrl: proxy.url,
      pubsub: { host: HOST, port: tcpPort },
      adminKey: secrets.operatorKey,
    });
    let stopping;
    return {
      dev,
      /** The processes by name. */
      apps,
      brokers,
      /** Restarts all replicas of an app, one after the other. */
      roll: (app) => roll(pools[app].replicas),
      /** Drains the apps, then ends the brokers. Safe to call twice. */
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
