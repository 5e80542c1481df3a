import { join, resolve } from 'node:path';
import { startBrokers } from '../brokers/brokers.mjs';
import { freePort } from '../brokers/ports.mjs';
import { startReaper } from '../brokers/reaper.mjs';
import { root } from '../set-up.mjs';
import { AppProcess } from './app-process.mjs';
import { nodeArgsFor } from './node-args.mjs';
import { readOrMakeSecrets, writeDevFile } from './dev-file.mjs';
import { startProxy } from './proxy.mjs';

/** The apps of the cluster, in the order in which they are started. */
export const APPS = ['projector', 'ingest', 'query', 'sse-stream', 'pubsub-tcp'];

const HOST = '127.0.0.1';

/**
 * Brings up the brokers, each app as a process of its own on the cluster engine, and a proxy in front of them.
 *
 * Everything that this call started, and nothing else, is ended by `stop()`, and also when this process ends in any
 * other way.
 *
 * @param {{
 *   httpPort?: number, pubsubPort?: number, dataDir?: string, durable?: boolean,
 *   env?: Record<string, string | undefined>, nodeArgsOf?: (app: string) => readonly string[],
 *   log?: (app: string, line: string) => void,
 * }} [options] Ports: 0 takes a free one. `durable`: see `startBrokers`. `env`: settings for every app.
 *   `nodeArgsOf`: arguments for Node.js, for instance of its profiler.
 */
export async function startCluster(options = {}) {
  const { httpPort = 8080, pubsubPort = 6380, durable = true, env = {}, nodeArgsOf = () => [] } = options;
  const { log = () => undefined } = options;
  const dataDir = resolve(options.dataDir ?? '.sluice');
  const secrets = await readOrMakeSecrets(dataDir);
  const apps = {};
  // The address first: a taken port is told before anything else is started.
  const proxy = await startProxy({ host: HOST, port: httpPort, apps: APPS, urlOf: (app) => apps[app]?.url });
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
      SLUICE_HTTP_HOST: HOST,
      SLUICE_TRUST_PROXY: '1',
      SLUICE_PUBSUB_HOST: HOST,
      SLUICE_PUBSUB_PORT: String(tcpPort),
    };
    for (const name of APPS) {
      const port = await freePort();
      apps[name] = new AppProcess({
        name,
        url: `http://${HOST}:${port}`,
        main: join(root, 'apps', name, 'dist', 'main.js'),
        env: { ...shared, SLUICE_HTTP_PORT: String(port) },
        nodeArgs: [...nodeArgsFor(name), ...nodeArgsOf(name)],
        reaper,
        log: (line) => log(name, line),
      });
    }
    // One at a time: on a small machine they would only take the processor from each other.
    for (const name of APPS) await apps[name].start();
    const dev = await writeDevFile({
      dataDir,
      baseUrl: proxy.url,
      pubsub: { host: HOST, port: tcpPort },
      adminKey: secrets.operatorKey,
    });
    let stopping;
    return {
      dev,
      apps,
      brokers,
      /** Drains the apps, then ends the brokers. Safe to call twice. */
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
