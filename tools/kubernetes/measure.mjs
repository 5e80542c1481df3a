// What each app takes on the cluster engine, idle and under a small load, to check the requests in k8s/base by.
// `node tools/kubernetes/measure.mjs` starts brokers and one process of each app, and ends them (Linux; after a build).
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMsOf, residentBytesOf } from '../bench/process-usage.mjs';
import { startCluster } from '../cluster/cluster.mjs';

const SETTLE_MS = 15_000;
const WINDOW_MS = 30_000;
const LOAD = { eventsPerSecond: 200, readsPerSecond: 20, tasksPerSecond: 10, sseStreams: 200, tcpStreams: 100 };
/** Calls that may be under way at a time: beyond it a turn is left out, and told. */
const MAX_IN_HAND = 200;

/** Processor in thousandths of a core and resident memory in MiB of each app, over a window of time. */
async function usageOf(apps) {
  const names = Object.keys(apps);
  const before = names.map((name) => cpuMsOf([apps[name].pid]));
  const beganAtMs = performance.now();
  await delay(WINDOW_MS);
  const tookMs = performance.now() - beganAtMs;
  return new Map(
    names.map((name, index) => {
      const { pid } = apps[name];
      const millicores = Math.round(((cpuMsOf([pid]) - before[index]) / tookMs) * 1000);
      return [name, { millicores, MiB: Math.round(residentBytesOf(pid) / 2 ** 20) }];
    }),
  );
}

/** Calls at a steady rate until the signal aborts. */
async function every(perSecond, signal, call) {
  const counts = { done: 0, failed: 0, leftOut: 0 };
  let inHand = 0;
  const timer = setInterval(() => {
    for (let n = 0; n < perSecond / 10; n++) {
      if (inHand >= MAX_IN_HAND) {
        counts.leftOut += 1;
        continue;
      }
      inHand += 1;
      void call(signal)
        .then(
          (isOk) => (counts[isOk ? 'done' : 'failed'] += 1),
          () => (counts.failed += 1),
        )
        .finally(() => (inHand -= 1));
    }
  }, 100);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  clearInterval(timer);
  return counts;
}

function startLoad({ baseUrl, pubsub, apiKey, sandboxId, accessToken }) {
  const ending = new AbortController();
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' };
  const asked = (path, init) => async () => {
    const response = await fetch(`${baseUrl}${path}`, { headers, ...init });
    await response.arrayBuffer();
    return response.ok;
  };
  const post = (path, body) => asked(path, { method: 'POST', body: JSON.stringify(body) });
  const event = { sandboxId, type: 'execution.completed', data: { exitCode: 0, output: 'x'.repeat(200) } };
  const streams = Array.from({ length: LOAD.sseStreams }, () =>
    readForEver(`${baseUrl}/v1/stream`, headers, ending.signal),
  );
  const sockets = Array.from({ length: LOAD.tcpStreams }, () => {
    const socket = connect(pubsub).on('error', () => undefined);
    socket.resume().write(`SUBSCRIBE ${sandboxId} ${accessToken}\r\n`);
    return socket;
  });
  const calls = {
    events: every(LOAD.eventsPerSecond, ending.signal, post('/events', event)),
    reads: every(LOAD.readsPerSecond, ending.signal, asked(`/events/${sandboxId}`)),
    tasks: every(LOAD.tasksPerSecond, ending.signal, post('/api/tasks', { title: 'measured' })),
  };
  return {
    stop: async () => {
      ending.abort();
      for (const socket of sockets) socket.destroy();
      await Promise.all(streams);
      return Object.fromEntries(
        await Promise.all(Object.entries(calls).map(async ([name, counts]) => [name, await counts])),
      );
    },
  };
}

async function readForEver(url, headers, signal) {
  try {
    const response = await fetch(url, { headers, signal });
    for await (const _chunk of response.body) if (signal.aborted) return;
  } catch {
    // It was told to end, or was ended: the counts of the apps tell.
  }
}

async function main() {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-measure-'));
  // PostgreSQL runs as another user where this is root.
  await chmod(dataDir, 0o755);
  const env = { ...process.env, SLUICE_LOG_LEVEL: 'warn' };
  const cluster = await startCluster({ httpPort: 0, pubsubPort: 0, dataDir, env });
  try {
    await delay(SETTLE_MS);
    const idle = await usageOf(cluster.apps);
    const load = startLoad(cluster.dev);
    await delay(SETTLE_MS);
    const loaded = await usageOf(cluster.apps);
    const counts = await load.stop();
    console.table(
      Object.fromEntries(
        [...idle].map(([name, at]) => {
          const under = loaded.get(name);
          return [
            name,
            {
              'idle mCPU': at.millicores,
              'idle MiB': at.MiB,
              'loaded mCPU': under.millicores,
              'loaded MiB': under.MiB,
            },
          ];
        }),
      ),
    );
    console.log(JSON.stringify({ load: LOAD, counts }));
  } finally {
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

await main();
