import { readCounter } from '../counters.mjs';
import { residentBytesOf } from '../process-usage.mjs';
import { median, pairedRatio } from '../statistics.mjs';
import { push, toRow } from './pushing.mjs';

const SUBSCRIBERS = 100;
const NEIGHBOURS = 20;
/** What the neighbours subscribe to: enough to fill all buffers between them and the server several times. */
const LARGE_EVENT_BYTES = 100_000;
const LARGE_PER_SECOND = 10;
const MAX_P99_RATIO = 1.2;
/** What one that reads nothing may cost the process: its queue of 1 MiB, and what waits in the connection. */
const MAX_GROWN_BYTES_EACH = 4_000_000;
const ENDED = 'sluice_sse_streams_ended_total';
let runs = 0;

/**
 * What subscribers get of a steady flow while neighbours, who subscribe to large events, read them, and while the
 * neighbours read nothing at all.
 */
export async function measureSlowNeighbour(context) {
  const { system, scale, startChild } = context;
  const neighbours = await startChild('load/worker.mjs');
  const heavyPoster = await startChild('load/worker.mjs');
  const pid = system.pids[system.sseApp];
  const round = async (isStalled) => {
    const name = `bench-large-${(runs += 1)}`;
    const { hostname: host, port } = new URL(system.sseUrl);
    const headers = { 'x-api-key': system.apiKey };
    const url = `${system.sseUrl}/v1/stream?entityId=${name}`;
    const target = { protocol: 'sse', host, port: Number(port), url, headers };
    const largeEvents = Math.ceil((scale.neighbourEvents / scale.pacedPerSecond + 1) * LARGE_PER_SECOND);
    const expected = { count: NEIGHBOURS, events: largeEvents, marker: '"largeSeq":' };
    await neighbours.call('subscribe', { name, target, expected });
    if (isStalled) await neighbours.call('stall', { name });
    const residentBefore = residentBytesOf(pid);
    const endedBefore = await readCounter(system.sseUrl, ENDED, 'slow_subscriber');
    const posting = heavyPoster.call('postPaced', {
      urls: [`${system.ingestUrl}/events?ack=log`],
      headers: { 'content-type': 'application/json', ...headers },
      before: JSON.stringify({
        type: 'custom.large',
        sandboxId: name,
        data: { text: 'x'.repeat(LARGE_EVENT_BYTES) },
      }).replace(/\}\}$/, ',"largeSeq":'),
      after: '}}',
      perSecond: LARGE_PER_SECOND,
      events: largeEvents,
      connections: 2,
    });
    const pushed = await push(context, 'sse', { subscribers: SUBSCRIBERS, events: scale.neighbourEvents });
    await posting;
    const grownBytes = residentBytesOf(pid) - residentBefore;
    const ended = (await readCounter(system.sseUrl, ENDED, 'slow_subscriber')) - endedBefore;
    await neighbours.call('unsubscribe', { name });
    return { ...pushed, grownBytes, ended };
  };
  const reading = [];
  const stalled = [];
  await round(false);
  for (let n = 0; n < scale.neighbourRounds; n += 1) {
    reading.push(await round(false));
    stalled.push(await round(true));
  }
  const values = (rounds, percent) => rounds.map(({ sentToPushedMs }) => sentToPushedMs[percent]);
  const row = (name, rounds) => ({
    ...toRow(system, 'slow-neighbour', name, rounds),
    value: median(values(rounds, 'p50')),
    p99: median(values(rounds, 'p99')),
  });
  const p99Ratio = pairedRatio(values(stalled, 'p99'), values(reading, 'p99'));
  // The process grows and shrinks by other things as well: what neighbours who read leave behind is taken off.
  const grownBy = (rounds) => median(rounds.map(({ grownBytes }) => grownBytes));
  const grown = grownBy(stalled) - grownBy(reading);
  const ended = stalled.map((each) => `${each.ended}/${NEIGHBOURS}`).join(', ');
  const text = `${NEIGHBOURS} neighbours read nothing (ended as slow: ${ended}; ${(grown / 1e6).toFixed(0)} MB more)`;
  return [
    row(`${NEIGHBOURS} neighbours read large events (baseline)`, reading),
    {
      ...row(text, stalled),
      baseline: 'reading',
      ratio: pairedRatio(values(stalled, 'p50'), values(reading, 'p50')),
      p99Ratio,
      target: {
        text: `p99 ≤ ${MAX_P99_RATIO} ×, all ended, ≤ ${MAX_GROWN_BYTES_EACH / 1e6} MB each`,
        isMet:
          p99Ratio <= MAX_P99_RATIO &&
          stalled.every((each) => each.ended === NEIGHBOURS) &&
          grown <= NEIGHBOURS * MAX_GROWN_BYTES_EACH,
      },
    },
  ];
}
