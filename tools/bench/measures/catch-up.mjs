import { cpuMsOf } from '../process-usage.mjs';
import { settle } from '../read-side.mjs';
import { median, pairedRatio } from '../statistics.mjs';

const BATCH_EVENTS = 500;
const CONNECTIONS = 8;
const MARKER = '"position":';
const DATA = { text: 'x'.repeat(200) };
const FILL_STEP_MS = 1_000;

/** How fast one subscriber with `cursor=earliest` gets everything, position by position. */
export async function measureCatchUp({ system, scale, poster, subscriber, bare }) {
  const { catchUpEvents } = scale;
  await fill(system, poster, catchUpEvents);
  const read = async (url, pids) => {
    const { hostname: host, port } = new URL(url);
    const target = { protocol: 'sse', host, port: Number(port), url, headers: { 'x-api-key': system.apiKey } };
    const name = 'catch-up';
    const expected = { count: 1, first: 1, events: catchUpEvents, marker: MARKER };
    const cpuBefore = cpuMsOf(pids);
    const { startedAt } = await subscriber.call('subscribe', { name, target, expected });
    const { arrivedAt, duplicates, loadCpuShare } = await subscriber.call('collect', { name, quietMs: scale.quietMs });
    const cpuMs = cpuMsOf(pids) - cpuBefore;
    await subscriber.call('unsubscribe', { name });
    let delivered = 0;
    let lastAt = startedAt;
    let isInOrder = true;
    for (const at of arrivedAt) {
      if (Number.isNaN(at)) continue;
      delivered += 1;
      isInOrder &&= at >= lastAt;
      lastAt = Math.max(lastAt, at);
    }
    const seconds = (lastAt - startedAt) / 1000;
    return {
      seconds,
      perSecond: delivered / seconds,
      delivered,
      duplicates,
      isInOrder,
      cpuUs: (cpuMs * 1000) / delivered,
      loadCpuShare,
    };
  };
  const measured = [];
  const baseline = [];
  for (let round = 0; round < scale.catchUpRounds; round += 1) {
    baseline.push(await read(`${bare.url}/replay?count=${catchUpEvents}`, [bare.pid]));
    measured.push(await read(`${system.sseUrl}/v1/stream?cursor=earliest`, Object.values(system.pids)));
  }
  const rates = (rounds) => rounds.map(({ perSecond }) => perSecond);
  const row = (name, rounds) => ({
    engine: system.engine,
    measure: 'catch-up',
    name: `${catchUpEvents} events, ${name}, in ${median(rounds.map(({ seconds }) => seconds)).toFixed(1)} s`,
    value: median(rates(rounds)),
    unit: 'events/s',
    delivered: rounds.reduce((total, { delivered }) => total + delivered, 0),
    expected: catchUpEvents * rounds.length,
    ...(rounds.every(({ isInOrder, duplicates }) => isInOrder && duplicates === 0)
      ? {}
      : { fault: 'OUT OF ORDER or TWICE' }),
    cpuUs: median(rounds.map(({ cpuUs }) => cpuUs)),
    loadShare: median(rounds.map(({ loadCpuShare }) => loadCpuShare)),
    details: { rounds },
  });
  return [
    row('bare Node SSE (baseline)', baseline),
    { ...row('SSE', measured), baseline: 'bare SSE', ratio: pairedRatio(rates(measured), rates(baseline)) },
  ];
}

/** Stores events by batches until there are enough of them. */
async function fill(system, poster, wanted) {
  const event = (sandboxId) => ({ type: 'custom.bench', sandboxId, data: DATA });
  const bodies = Array.from({ length: CONNECTIONS }, (_, index) =>
    JSON.stringify({ events: Array.from({ length: BATCH_EVENTS }, () => event(`bench-fill-${index}`)) }),
  );
  let head = await settle(system);
  while (head < wanted) {
    const { acknowledged, statuses } = await poster.call('postClosedLoop', {
      url: `${system.ingestUrl}/events?ack=log`,
      headers: { 'content-type': 'application/json', 'x-api-key': system.apiKey },
      bodies,
      connections: CONNECTIONS,
      warmUpMs: 0,
      durationMs: FILL_STEP_MS,
    });
    if (acknowledged === 0) throw new Error(`no batch was stored: ${JSON.stringify(statuses)}`);
    head = await settle(system, head + acknowledged * BATCH_EVENTS);
  }
}
