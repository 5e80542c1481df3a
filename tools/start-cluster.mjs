// `npm run start:cluster`: real brokers, each app as its own process on the cluster engine, one proxy in front.
// Tests drive it with `--control`, which obeys orders on standard input and ends when that closes, and `--no-set-up`, which
// takes what is installed and built.
import { createInterface } from 'node:readline';
import { build, installDependencies } from './set-up.mjs';

const startedAt = Date.now();
const progress = (line) => console.log(`[${Math.round((Date.now() - startedAt) / 1000)} s] ${line}`);
const COLUMN = 11;
const show = (name, line) => console.log(`${name.padEnd(COLUMN)}| ${line}`);

/** Brokers that are away by order: how to bring each back, and when it is. */
const away = new Map();

/** Ends a broker and leaves it away until it is brought up. */
async function takeDown(cluster, name, signal) {
  let bringUp;
  const awaited = new Promise((resolve) => (bringUp = resolve));
  await new Promise((resolve, reject) => {
    const whileDown = () => {
      resolve(undefined);
      return awaited;
    };
    const back = cluster.brokers.restart(name, { signal, whileDown });
    back.catch(reject);
    away.set(name, { bringUp, back });
  });
}

async function bringUp(name) {
  const broker = away.get(name);
  if (!broker) throw new Error(`${name} is not down`);
  away.delete(name);
  broker.bringUp();
  await broker.back;
}

/**
 * `kill APP [SIGNAL]` ends a process, which comes back by itself; `roll APP` restarts its replicas one by one;
 * `restart BROKER [SIGNAL] [wipe]`; `down BROKER [SIGNAL]`, `up BROKER`; `where` tells the processes' own addresses,
 * `brokers` those of the brokers.
 */
async function obey(cluster, line) {
  const [order, name, ...rest] = line.trim().split(/\s+/);
  const signal = rest.find((word) => word.startsWith('SIG'));
  if (order === 'kill' && cluster.apps[name]) {
    await cluster.apps[name].kill(signal);
    await cluster.apps[name].untilReady();
  } else if (order === 'roll' && cluster.apps[name]) {
    await cluster.roll(name);
  } else if (order === 'where') {
    return Object.fromEntries(Object.entries(cluster.apps).map(([app, { url, pid }]) => [app, { url, pid }]));
  } else if (order === 'restart') {
    await cluster.brokers.restart(name, { ...(signal ? { signal } : {}), wipeData: rest.includes('wipe') });
  } else if (order === 'down') {
    await takeDown(cluster, name, signal);
  } else if (order === 'up') {
    await bringUp(name);
  } else if (order === 'brokers') {
    const { kafkaBrokers, natsUrl, databaseUrl, kafkaPid, natsPid, postgresPid } = cluster.brokers;
    return { kafkaBrokers, natsUrl, databaseUrl, pids: { kafka: kafkaPid, nats: natsPid, postgres: postgresPid } };
  } else throw new Error(`unknown order "${line}"`);
  return undefined;
}

async function control(cluster) {
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await obey(cluster, line).then(
      (result) => ({ ok: true, order: line, result }),
      (error) => ({ ok: false, order: line, error: error.message }),
    );
    console.log(`control: ${JSON.stringify(answer)}`);
  }
}

function announce({ baseUrl, pubsub, accessToken, apiKey }) {
  console.log(`
Sluice is ready at ${baseUrl}, with TCP at ${pubsub.host}:${pubsub.port}

Watch the events of workspace 1:
  curl -N -H 'X-API-Key: ${apiKey}' ${baseUrl}/v1/stream

Store one:
  curl -X POST ${baseUrl}/events -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer ${accessToken}' -d '{"type":"custom.event","data":{"hello":"world"}}'
`);
}

async function main() {
  const ending = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve(signal));
  });
  if (!process.argv.includes('--no-set-up')) {
    await installDependencies((line) => progress(`${line} ...`));
    await build((line) => progress(`${line} ...`));
  }
  progress('starting brokers and apps ...');
  const [{ startCluster }, { readConfig }] = await Promise.all([
    import('./cluster/cluster.mjs'),
    import('./cluster/config.mjs'),
  ]);
  const starting = startCluster({ ...readConfig(), log: show });
  const first = await Promise.race([starting, ending]);
  // Told to end before all were up: what is there already ends with this process.
  if (typeof first === 'string') return;
  // The handles of brokers and apps do not keep the event loop alive.
  const keepAlive = setInterval(() => undefined, 60_000);
  announce(first.dev);
  await Promise.race([ending, ...(process.argv.includes('--control') ? [control(first)] : [])]);
  console.log('stopping ...');
  await first.stop();
  clearInterval(keepAlive);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(`The cluster could not be started: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  },
);
