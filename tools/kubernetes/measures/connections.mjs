import { setTimeout as delay } from 'node:timers/promises';
import { memoryAfterGc, residentBytesOf } from '../../bench/process-usage.mjs';
import { during, kernelBytes, openFilesOf } from './processes.mjs';

const STEPS = [1_000, 5_000, 18_000];
const SANDBOXES = 1_000;
const SETTLE_MS = 2_000;
const HEARTBEATS_MS = 30_000;

/** What open streams that get nothing take, and what it takes to open them. */
export async function measureConnections({ cluster, startChild, gcFolder, report }) {
  const rows = [];
  const marker = '"benchSeq":';
  for (const { way, app, target } of ways(cluster)) {
    const holder = await startChild();
    const { pid } = cluster.apps[app];
    let open = 0;
    let before = await reading(pid, gcFolder);
    for (const step of STEPS) {
      const count = step - open;
      const opening = await during(cluster, () =>
        holder.call('subscribe', { name: `${way}-${step}`, target, expected: { count, events: 0, marker } }),
      );
      await delay(SETTLE_MS);
      const grownBytes = residentBytesOf(pid);
      const after = await reading(pid, gcFolder);
      const each = (key) => (after[key] - before[key]) / count;
      rows.push({
        way,
        connections: step,
        'MiB before collection': grownBytes / 2 ** 20,
        'MiB after': after.residentBytes / 2 ** 20,
        'kB each, resident': each('residentBytes') / 1000,
        'kB each, JavaScript': (each('heapBytes') + each('externalBytes')) / 1000,
        // Both ends are on this machine.
        'kB each, kernel': (each('slabBytes') + each('bufferBytes')) / 2 / 1000,
        'kB each, socket buffers': each('bufferBytes') / 2 / 1000,
        'files each': each('files'),
        'opened/s': count / opening.seconds,
        'µs to open': opening.cpuUs[app] / count,
        'µs of PostgreSQL': opening.cpuUs.postgres / count,
        'µs of NATS': opening.cpuUs.nats / count,
      });
      open = step;
      before = after;
    }
    const idle = await during(cluster, () => delay(HEARTBEATS_MS));
    rows.at(-1)['µs each, a second'] = idle.cpuUs[app] / idle.seconds / open;
    await holder.stop();
    await delay(SETTLE_MS);
  }
  report('connections', rows);
}

async function reading(pid, gcFolder) {
  return { ...(await memoryAfterGc(pid, gcFolder)), ...kernelBytes(), files: openFilesOf(pid) };
}

function ways({ apps, dev }) {
  const headers = { 'x-api-key': dev.apiKey };
  const { url } = apps['sse-stream'];
  const at = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  const urls = Array.from({ length: SANDBOXES }, (_, n) => `${url}/v1/stream?entityId=measured-idle-${n}`);
  return [
    { way: 'SSE', app: 'sse-stream', target: { protocol: 'sse', ...at, urls, headers } },
    { way: 'WebSocket', app: 'sse-stream', target: { protocol: 'socket', ...at, url: `${url}/v1/socket`, headers } },
    {
      way: 'TCP',
      app: 'pubsub-tcp',
      target: { protocol: 'tcp', ...dev.pubsub, sandboxId: 'measured-idle', credential: dev.apiKey },
    },
  ];
}
