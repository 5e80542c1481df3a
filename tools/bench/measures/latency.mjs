import { median, pairedRatio } from '../statistics.mjs';
import { nameOf, push, toRow, waysOf } from './pushing.mjs';

const TARGET_MS = 8;

/** How long an event takes to one subscriber, on an otherwise idle system. */
export async function measureLatency(context) {
  const { system, scale } = context;
  const results = Object.fromEntries(waysOf(system).map((way) => [way, []]));
  for (let round = 0; round < scale.latencyRounds; round += 1)
    for (const way of Object.keys(results))
      results[way].push(await push(context, way, { subscribers: 1, events: scale.latencyEvents }));

  const rows = [];
  for (const [way, rounds] of Object.entries(results)) {
    const row = (what, delays) => ({
      ...toRow(system, 'latency', `${nameOf(way)}, ${what}`, rounds),
      value: median(rounds.map((round) => round[delays].p50)),
      p99: median(rounds.map((round) => round[delays].p99)),
    });
    const sent = row('POST sent → pushed', 'sentToPushedMs');
    if (way === 'bare') {
      rows.push(sent);
      continue;
    }
    const values = (of, percent) => of.map(({ sentToPushedMs }) => sentToPushedMs[percent]);
    const ratio = (percent) => pairedRatio(values(rounds, percent), values(results.bare, percent));
    rows.push({ ...sent, baseline: 'bare SSE', ratio: ratio('p50'), p99Ratio: ratio('p99') });
    // No ratios here: of times that may be next to nothing, or negative, they say nothing.
    for (const acknowledged of [
      row('ack=log → pushed', 'logAckToPushedMs'),
      row('default ack → pushed', 'defaultAckToPushedMs'),
    ]) {
      const target = { text: `p50 ≤ ${TARGET_MS} ms`, isMet: acknowledged.value <= TARGET_MS };
      rows.push({ ...acknowledged, ...(system.engine === 'cluster' ? { target } : {}) });
    }
  }
  return rows;
}
