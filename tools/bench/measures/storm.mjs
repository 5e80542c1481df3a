import { readCounter } from '../counters.mjs';
import { nowMs } from '../load/clock.mjs';
import { settle } from '../read-side.mjs';

const SUBSCRIBERS = 2_000;
const AT_ONCE = 2_000;
const MISSED_EVENTS = 200;
const SANDBOXES = 100;
const EVENTS_PER_SANDBOX = 20;
/** More than the feed keeps in memory. */
const PUSHED_OUT_BY = 17_000;
const BATCH_EVENTS = 500;
const TARGET_SECONDS = 30;
const MARKER = '"stormSeq":';

/**
 * All subscribers come back at the same moment, each with a cursor: a short while behind, which the feed has in memory,
 * and so far behind that each one's events are read from the database.
 */
export async function measureStorm({ system, subscriber }) {
  const stamp = `${nowMs().toFixed(0)}`;
  const fresh = await cursorNow(system);
  await store(
    system,
    Array.from({ length: MISSED_EVENTS }, (_, seq) => eventOf(`storm-${stamp}`, seq)),
  );
  const stream = `${system.sseUrl}/v1/stream`;
  const recent = await comeBack(system, subscriber, 'in memory', {
    urls: [`${stream}?cursor=${fresh}`],
    events: MISSED_EVENTS,
  });

  const old = await cursorNow(system);
  const names = Array.from({ length: SANDBOXES }, (_, n) => `storm-${stamp}-${n}`);
  await store(
    system,
    names.flatMap((name) => Array.from({ length: EVENTS_PER_SANDBOX }, (_, seq) => eventOf(name, seq))),
  );
  await store(
    system,
    Array.from({ length: PUSHED_OUT_BY }, (_, n) => ({ ...eventOf(`storm-filler-${n % 8}`, 0), data: {} })),
  );
  const distant = await comeBack(system, subscriber, 'in the database', {
    urls: names.map((name) => `${stream}?entityId=${name}&cursor=${old}`),
    events: EVENTS_PER_SANDBOX,
  });
  return [recent, distant];
}

const eventOf = (sandboxId, seq) => ({ type: 'custom.storm', sandboxId, data: { stormSeq: seq } });

async function comeBack(system, subscriber, where, { urls, events }) {
  const { hostname: host, port } = new URL(system.sseUrl);
  const headers = { 'x-api-key': system.apiKey };
  const name = `storm ${where}`;
  const pagesBefore = await readCounter(system.sseUrl, 'sluice_backfill_pages_total');
  const { startedAt } = await subscriber.call('subscribe', {
    name,
    target: { protocol: 'sse', host, port: Number(port), urls, headers },
    expected: { count: SUBSCRIBERS, events, marker: MARKER, atOnce: AT_ONCE },
  });
  const seen = await subscriber.call('collect', { name, quietMs: 10_000 });
  await subscriber.call('unsubscribe', { name });
  const arrived = [...seen.arrivedAt].filter((at) => !Number.isNaN(at));
  const seconds = (arrived.reduce((latest, at) => Math.max(latest, at), startedAt) - startedAt) / 1000;
  const pages = (await readCounter(system.sseUrl, 'sluice_backfill_pages_total')) - pagesBefore;
  const isComplete = arrived.length === SUBSCRIBERS * events && seen.duplicates === 0;
  return {
    engine: system.engine,
    measure: 'storm',
    name: `${SUBSCRIBERS} come back, ${events} events each are ${where} (${(pages / seconds).toFixed(0)} database reads/s)`,
    value: seconds,
    unit: 's',
    delivered: arrived.length,
    expected: SUBSCRIBERS * events,
    ...(seen.duplicates > 0 || seen.cut > 0 ? { fault: `${seen.duplicates} duplicates, ${seen.cut} cut` } : {}),
    loadShare: seen.loadCpuShare,
    target: { text: `all within ${TARGET_SECONDS} s`, isMet: isComplete && seconds <= TARGET_SECONDS },
    details: { pages },
  };
}

async function cursorNow(system) {
  await settle(system);
  const response = await fetch(`${system.queryUrl}/v1/events?limit=1`, { headers: { 'x-api-key': system.apiKey } });
  return (await response.json()).headCursor;
}

async function store(system, events) {
  for (let from = 0; from < events.length; from += BATCH_EVENTS) {
    const response = await fetch(`${system.ingestUrl}/events?ack=log`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': system.apiKey },
      body: JSON.stringify({ events: events.slice(from, from + BATCH_EVENTS) }),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  }
  await settle(system);
}
