import { cpuMsOf } from '../process-usage.mjs';
import { joinArrivals, median, summarize } from '../statistics.mjs';

const PUBLISH_CONNECTIONS = 8;
const MARKER = '"benchSeq":';
const PADDING = 'x'.repeat(200);
let runs = 0;

/** @typedef {'sse' | 'tcp' | 'bare'} Way */

/**
 * Where the events of a fresh sandbox are posted, and where they are subscribed to.
 *
 * @param {import('../engines.mjs').System} system
 * @param {Way} way
 * @param {{ url: string, pid: number }} bare the baseline's server
 */
function routeOf(system, way, bare) {
  const sandboxId = `bench-push-${(runs += 1)}`;
  const headers = { 'x-api-key': system.apiKey };
  const address = (url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });
  const targets = {
    sse: () => ({
      protocol: 'sse',
      ...address(system.sseUrl),
      url: `${system.sseUrl}/v1/stream?entityId=${sandboxId}`,
      headers,
    }),
    tcp: () => ({ protocol: 'tcp', ...system.pubsub, sandboxId, credential: system.apiKey }),
    bare: () => ({ protocol: 'sse', ...address(bare.url), url: `${bare.url}/stream`, headers }),
  };
  return {
    sandboxId,
    target: targets[way](),
    urls:
      way === 'bare' ? [`${bare.url}/events`] : [`${system.ingestUrl}/events?ack=log`, `${system.ingestUrl}/events`],
    pids: way === 'bare' ? [bare.pid] : Object.values(system.pids),
  };
}

/** The ways that this system has. */
export const waysOf = (system) => ['bare', 'sse', ...(system.pubsub ? ['tcp'] : [])];

/** @param {Way} way */
export const nameOf = (way) => (way === 'bare' ? 'bare Node SSE (baseline)' : way.toUpperCase());

/** What the rounds of one way have in common in every report. */
export function toRow(system, measure, name, rounds) {
  const total = (key) => rounds.reduce((sum, round) => sum + round[key], 0);
  const faults = ['duplicates', 'cut'].filter((key) => total(key) > 0).map((key) => `${total(key)} ${key}`);
  return {
    engine: system.engine,
    measure,
    name,
    unit: 'ms',
    delivered: total('delivered'),
    expected: total('expected'),
    ...(faults.length === 0 ? {} : { fault: faults.join(', ') }),
    cpuUs: median(rounds.map(({ cpuUsPerDelivery }) => cpuUsPerDelivery)),
    loadShare: median(rounds.map(({ loadCpuShare }) => loadCpuShare)),
    details: { rounds },
  };
}

/**
 * Posts numbered events at a steady rate to a sandbox that has so many subscribers, and says when each came to each.
 * Events with even numbers are posted with `ack=log`, the others with the default.
 */
export async function push({ system, scale, poster, subscriber, bare }, way, { subscribers, events }) {
  const { sandboxId, target, urls, pids } = routeOf(system, way, bare);
  const warmUpEvents = Math.round(scale.pacedPerSecond / 2);
  const all = warmUpEvents + events;
  const name = sandboxId;
  await subscriber.call('subscribe', { name, target, expected: { count: subscribers, events: all, marker: MARKER } });
  try {
    const cpuBefore = cpuMsOf(pids);
    const posted = await poster.call('postPaced', {
      urls,
      headers: { 'content-type': 'application/json', 'x-api-key': system.apiKey },
      before: JSON.stringify({ type: 'custom.bench', sandboxId, data: { text: PADDING } }).replace(
        /\}\}$/,
        `,${MARKER}`,
      ),
      after: '}}',
      perSecond: scale.pacedPerSecond,
      events: all,
      connections: PUBLISH_CONNECTIONS,
    });
    const seen = await subscriber.call('collect', { name, quietMs: scale.quietMs });
    const cpuMs = cpuMsOf(pids) - cpuBefore;
    const isCounted = (sequence) => sequence >= warmUpEvents;
    const parity = (rest) => (sequence) => isCounted(sequence) && (urls.length === 1 || sequence % 2 === rest);
    const delays = (since, counted) => summarize(joinArrivals(seen.arrivedAt, since, counted).delaysMs);
    const { expected, delivered } = joinArrivals(seen.arrivedAt, posted.sentAt, isCounted);
    return {
      way,
      subscribers,
      expected,
      delivered,
      duplicates: seen.duplicates + seen.unexpected,
      cut: seen.cut,
      loadCpuShare: seen.loadCpuShare,
      statuses: posted.statuses,
      sentToPushedMs: delays(posted.sentAt, isCounted),
      logAckToPushedMs: delays(posted.acknowledgedAt, parity(0)),
      defaultAckToPushedMs: urls.length === 1 ? undefined : delays(posted.acknowledgedAt, parity(1)),
      cpuUsPerDelivery: (cpuMs * 1000) / (all * subscribers),
    };
  } finally {
    await subscriber.call('unsubscribe', { name });
  }
}
