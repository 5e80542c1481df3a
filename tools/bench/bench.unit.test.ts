import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

type Call = readonly [module: string, name: string, ...args: unknown[]];

/** Calls exported functions of the benchmark's modules, all in one process of their own. */
function callAll(calls: readonly Call[]): unknown[] {
  const asked = calls.map(([module, name, ...args]) => ({ module, name, args }));
  const output = execFileSync(process.execPath, [join(__dirname, 'pure-calls.mjs'), JSON.stringify(asked)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(output) as unknown[];
}

const call = (...one: Call) => callAll([one])[0];

/** Every way to cut a text in two, and the text in single characters. */
function cuts(text: string): string[][] {
  const two = Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)]);
  return [...two, [...text]];
}

describe('counters', () => {
  it('sums the lines of one metric that have the label, and no other metric', () => {
    const text = [
      '# HELP ended_total Ended.',
      'ended_total{reason="slow"} 2',
      'ended_total{reason="closed"} 5',
      'ended_total_more{reason="slow"} 9',
      'plain 7',
    ].join('\n');
    expect(
      callAll([
        ['./counters.mjs', 'sumOf', text, 'ended_total', 'reason="slow"'],
        ['./counters.mjs', 'sumOf', text, 'ended_total'],
        ['./counters.mjs', 'sumOf', text, 'plain'],
        ['./counters.mjs', 'sumOf', text, 'absent'],
      ]),
    ).toEqual([2, 7, 7, 0]);
  });
});

describe('statistics', () => {
  it('gives percentiles by the nearest rank, and none for no samples', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    expect(
      callAll([
        ['./statistics.mjs', 'percentile', hundred, 0.5],
        ['./statistics.mjs', 'percentile', hundred, 0.99],
        ['./statistics.mjs', 'percentile', hundred, 1],
        ['./statistics.mjs', 'percentile', [7], 0.01],
        ['./statistics.mjs', 'percentile', [], 0.5],
      ]),
    ).toEqual([50, 99, 100, 7, null]);
  });

  it('sorts samples by value and not as text', () => {
    expect(call('./statistics.mjs', 'summarize', [10, 9, -3, 100])).toEqual({ count: 4, p50: 9, p99: 100, max: 100 });
  });

  it('gives the median of odd and even numbers of values', () => {
    expect(
      callAll([
        ['./statistics.mjs', 'median', [10, 2, 9]],
        ['./statistics.mjs', 'median', [10, 2, 9, 3]],
      ]),
    ).toEqual([9, 6]);
  });

  it('takes the ratio round by round, so that one slow round of both does not count', () => {
    expect(call('./statistics.mjs', 'pairedRatio', [50, 5, 51], [100, 10, 100])).toBe(0.5);
  });

  it('counts what did not arrive, and leaves out what is not asked for or did not happen', () => {
    // Two subscribers of three events; JSON has no NaN, and null becomes 0: so the gaps are made from text.
    const script = `
      const { joinArrivals } = await import(process.argv[1]);
      const join = joinArrivals([10, 21, NaN, 11, NaN, 35], [9, 20, 30]);
      const last = joinArrivals([10, 21, NaN, 11, NaN, 35], [9, NaN, 30], (n) => n > 0);
      console.log(JSON.stringify([join, last].map((each) => ({ ...each, delaysMs: [...each.delaysMs] }))));`;
    const args = ['--input-type=module', '-e', script, join(__dirname, 'statistics.mjs')];
    expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toEqual([
      { expected: 6, delivered: 4, delaysMs: [1, 1, 2, 5] },
      { expected: 2, delivered: 1, delaysMs: [5] },
    ]);
  });
});

describe('event scanner', () => {
  const MARKER = '"n":';

  it('finds each number once however the bytes are cut', () => {
    const text = `id: 1\ndata: {"a":"n",${MARKER}12}\n\ndata: {${MARKER}7,"text":"x"}\r\n{${MARKER}0}\n`;
    const found = callAll(cuts(text).map((pieces) => ['./load/scan.mjs', 'scanNumbers', MARKER, pieces]));
    for (const numbers of found) expect(numbers).toEqual([12, 7, 0]);
  });

  it('does not count an event whose line has not ended', () => {
    expect(call('./load/scan.mjs', 'scanNumbers', MARKER, [`{${MARKER}1}\n{${MARKER}2}`])).toEqual([1]);
  });
});

describe('response reader', () => {
  const answer = (status: number, body: string) =>
    `HTTP/1.1 ${status} Some Words\r\nContent-Length: ${body.length}\r\nx: y\r\n\r\n${body}`;

  it('counts answers by status however the bytes are cut', () => {
    const text = answer(201, '{"a":"HTTP/1.1 500 "}\r\n\r\n') + answer(204, '') + answer(503, 'x');
    const read = callAll(cuts(text).map((pieces) => ['./load/scan.mjs', 'readStatuses', pieces]));
    for (const statuses of read) expect(statuses).toEqual([201, 204, 503]);
  });

  it('refuses an answer without a length instead of guessing', () => {
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(() => call('./load/scan.mjs', 'readStatuses', [chunked])).toThrow('not an answer with a length');
  });
});

describe('profile', () => {
  it('adds up the time of a function over its places in the tree, within the window and without idle time', () => {
    const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber });
    const profile = {
      startTime: 100_000,
      nodes: [
        { id: 1, callFrame: frame('(idle)') },
        { id: 2, callFrame: frame('send', 'file:///x/libs/delivery/dist/feed.js', 4) },
        { id: 3, callFrame: frame('send', 'file:///x/libs/delivery/dist/feed.js', 4) },
        { id: 4, callFrame: frame('', '/x/node_modules/kafkajs/src/a.js', 0) },
      ],
      samples: [2, 1, 2, 3, 4, 4],
      timeDeltas: [5000, 5000, 1000, 2000, 1000, 1000],
    };
    expect(call('./cpu-profile.mjs', 'selfTimes', profile, { fromMs: 106, toMs: 114 })).toEqual({
      totalMs: 9,
      busyMs: 4,
      functions: [
        { name: 'send', place: 'libs/delivery/dist/feed.js:5', selfMs: 3 },
        { name: '(anonymous)', place: 'kafkajs/src/a.js:1', selfMs: 1 },
      ],
    });
  });
});

describe('options', () => {
  it('takes measures in their fixed order and both engines by default', () => {
    expect(call('./options.mjs', 'parseOptions', ['--only', 'catch-up,ingest'])).toMatchObject({
      engines: ['embedded', 'cluster'],
      measures: ['ingest', 'catch-up'],
    });
  });

  it('names what it does not know', () => {
    expect(() => call('./options.mjs', 'parseOptions', ['--only', 'speed'])).toThrow('unknown measure "speed"');
  });
});

describe('table', () => {
  const row = { engine: 'cluster', measure: 'fan-out', name: 'SSE', value: 12.34, p99: 1234.5, unit: 'ms' };
  const table = (more: object) => call('./report.mjs', 'formatTable', [{ ...row, ...more }]);

  it('shows both figures, both ratios and whether the target is met', () => {
    const text = table({
      delivered: 5,
      expected: 5,
      baseline: 'bare SSE',
      ratio: 2,
      p99Ratio: 3.14159,
      target: { text: '≤ 100 ms', isMet: false },
    });
    expect(text).toMatch(/12\.3 \/ 1 23[45] ms +5\/5 +2\.00 \/ 3\.14 × bare SSE +MISSED: ≤ 100 ms/);
  });

  it('says so when something was not delivered or was delivered twice', () => {
    expect(table({ delivered: 4, expected: 5, fault: '1 duplicates' })).toContain('4/5 NOT ALL 1 duplicates');
  });
});
