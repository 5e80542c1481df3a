import { setTimeout as delay } from 'node:timers/promises';
import { memoryAfterGc } from '../process-usage.mjs';
import { nameOf } from './pushing.mjs';

const TARGET_BYTES = 16_000;
/** There before the first reading, so that what the first few alone cost (code, buffers) does not count. */
const FIRST_SUBSCRIBERS = 100;

const kilobytes = (bytes) => (bytes / 1000).toFixed(1);

/**
 * What an idle subscriber costs the process that serves it: the first thousand, and further ones. Runs before anything
 * else: memory that a process once had and has let go would hide what the next subscribers take.
 */
export async function measureMemory({ system, scale, subscriber, bare, gcFolder }) {
  const headers = { 'x-api-key': system.apiKey };
  const address = (url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });
  const sse = (url, path) => ({ protocol: 'sse', ...address(url), url: `${url}${path}`, headers });
  const tcp = { protocol: 'tcp', ...system.pubsub, sandboxId: 'bench-idle', credential: system.apiKey };
  const ways = [
    { way: 'bare', pid: bare.pid, folder: gcFolder, target: sse(bare.url, '/stream') },
    { way: 'sse', pid: system.pids[system.sseApp], target: sse(system.sseUrl, '/v1/stream?entityId=bench-idle') },
    ...(system.pubsub ? [{ way: 'tcp', pid: system.pids[system.tcpApp], target: tcp }] : []),
  ];
  const names = [];
  const subscribe = async (target, count) => {
    const name = `idle-${names.length}`;
    names.push(name);
    await subscriber.call('subscribe', { name, target, expected: { count, events: 0, marker: '"benchSeq":' } });
    await delay(scale.idleWaitMs);
    return name;
  };
  const rows = [];
  const bareBytes = [];
  // Those of the way before stay: in one process, memory that they let go would be used again.
  for (const { way, pid, folder = system.gcFolder, target } of ways) {
    await subscribe(target, FIRST_SUBSCRIBERS);
    let before = await memoryAfterGc(pid, folder);
    for (const [step, count] of scale.idleSubscribers.entries()) {
      const name = await subscribe(target, count);
      const after = await memoryAfterGc(pid, folder);
      const each = (key) => (after[key] - before[key]) / count;
      const javaScriptBytes = each('heapBytes') + each('externalBytes');
      // Resident memory hides what fits into pages that the process had before, so the larger of both is the figure.
      const bytes = Math.max(each('residentBytes'), javaScriptBytes);
      const { cut } = await subscriber.call('collect', { name, quietMs: 0 });
      if (way === 'bare') bareBytes.push(bytes);
      rows.push({
        engine: system.engine,
        measure: 'memory',
        name: `idle ${nameOf(way)}, ${step === 0 ? 'first' : 'further'} ${count}`,
        value: bytes / 1000,
        unit: `kB (${kilobytes(each('residentBytes'))} resident, ${kilobytes(javaScriptBytes)} JavaScript)`,
        delivered: count - cut,
        expected: count,
        ...(way === 'bare' ? {} : { baseline: 'bare SSE', ratio: bytes / bareBytes[step] }),
        ...(way === 'sse' ? { target: { text: '≤ 16 kB', isMet: bytes <= TARGET_BYTES } } : {}),
        details: { before, after },
      });
      before = after;
    }
  }
  for (const name of names) await subscriber.call('unsubscribe', { name });
  return rows;
}
