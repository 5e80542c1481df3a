import { median, pairedRatio } from '../statistics.mjs';
import { nameOf, push, toRow, waysOf } from './pushing.mjs';

const TARGET_MS = 100;
const TARGET_SUBSCRIBERS = 1000;

/** What 1, 100 and 1000 subscribers of one sandbox get of a steady flow of events. */
export async function measureFanOut(context) {
  const { system, scale } = context;
  const rows = [];
  for (const subscribers of scale.fanOutSubscribers) {
    const results = Object.fromEntries(waysOf(system).map((way) => [way, []]));
    for (let round = 0; round < scale.fanOutRounds; round += 1)
      for (const way of Object.keys(results))
        results[way].push(await push(context, way, { subscribers, events: scale.fanOutEvents }));
    const values = (way, percent) => results[way].map(({ sentToPushedMs }) => sentToPushedMs[percent]);
    const ratio = (way, percent) => pairedRatio(values(way, percent), values('bare', percent));
    for (const [way, rounds] of Object.entries(results)) {
      const row = {
        ...toRow(system, 'fan-out', `${subscribers} × ${scale.pacedPerSecond}/s, ${nameOf(way)}`, rounds),
        value: median(values(way, 'p50')),
        p99: median(values(way, 'p99')),
        ...(way === 'bare' ? {} : { baseline: 'bare SSE', ratio: ratio(way, 'p50'), p99Ratio: ratio(way, 'p99') }),
      };
      const isComplete = row.delivered === row.expected && row.fault === undefined;
      const target = { text: `100 %, p99 ≤ ${TARGET_MS} ms`, isMet: isComplete && row.p99 <= TARGET_MS };
      rows.push({ ...row, ...(way !== 'bare' && subscribers === TARGET_SUBSCRIBERS ? { target } : {}) });
    }
  }
  return rows;
}
