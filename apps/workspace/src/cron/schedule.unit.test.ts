import { Cron } from 'croner';
import { MAX_CAUGHT_UP, MAX_COUNTED_MISSED, assertSchedule, dueTimesUntil, nextDueAfter } from './schedule';

const at = (text: string) => Date.parse(text);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

it.each([
  ['*/15 * * * *', undefined, '2026-01-01T00:00:00Z', '2026-01-01T00:15:00.000Z'],
  ['*/15 * * * * *', undefined, '2026-01-01T00:00:00Z', '2026-01-01T00:00:15.000Z'],
  ['0 9 * * MON', undefined, '2026-01-01T00:00:00Z', '2026-01-05T09:00:00.000Z'],
  ['0 9 * * *', 'Asia/Tokyo', '2026-01-01T00:00:01Z', '2026-01-02T00:00:00.000Z'],
  // The hour that spring leaves out comes right after, the one that autumn has twice comes once.
  ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00.000Z'],
])('takes %s in %s after %s as due at %s', (cron, timezone, after, expected) => {
  expect(iso(nextDueAfter({ cron, ...(timezone && { timezone }) }, at(after)))).toBe(expected);
});

it('counts seconds from where it begins', () => {
  expect(nextDueAfter({ every: 90 }, 1_234)).toBe(91_234);
});

it('is never due again where the calendar has no such day', () => {
  expect(nextDueAfter({ cron: '0 0 30 2 *' }, 0)).toBeUndefined();
  expect(() => assertSchedule({ cron: '0 0 30 2 *' }, 0)).toThrow('is never due');
});

it('gives all due times until now, each once', () => {
  const from = at('2026-01-01T00:00:10Z');
  for (const schedule of [{ cron: '*/10 * * * * *' }, { every: 10 }]) {
    expect(dueTimesUntil(schedule, from, from + 35_000)).toEqual({
      newest: [from, from + 10_000, from + 20_000, from + 30_000],
      before: 0,
      next: from + 40_000,
    });
    expect(dueTimesUntil(schedule, from, from)).toEqual({ newest: [from], before: 0, next: from + 10_000 });
  }
});

it('keeps the newest and counts the others, up to its bounds', () => {
  const from = at('2026-01-01T00:00:00Z');
  for (const schedule of [{ cron: '* * * * * *' }, { every: 1 }]) {
    const some = dueTimesUntil(schedule, from, from + 299_000);
    expect([some.newest.length, some.newest[0], some.before]).toEqual([MAX_CAUGHT_UP, from + 200_000, 200]);
    const many = dueTimesUntil(schedule, from, from + 365 * 86_400_000);
    expect([many.newest.length, many.before]).toEqual([MAX_CAUGHT_UP, MAX_COUNTED_MISSED]);
    expect(many.newest.at(-1)).toBe(from + 365 * 86_400_000);
  }
});

it('keeps a due time that the expression does not have', () => {
  const from = at('2026-01-01T00:00:05Z');
  const { newest, next } = dueTimesUntil({ cron: '0 * * * * *' }, from, from + 10_000);
  expect([newest, iso(next)]).toEqual([[from], '2026-01-01T00:01:00.000Z']);
});

it.each([
  ['* * * * * *', undefined],
  ['*/20 * * * *', 'Europe/Berlin'],
  ['30 1-3 * * *', 'America/New_York'],
  ['0 0 29 2 *', undefined],
])('gives of %s in %s what walking from due time to due time gives', (cron, timezone) => {
  const schedule = { cron, ...(timezone && { timezone }) };
  // Both changes of the clock are on the way.
  for (const from of [at('2026-03-07T00:00:00Z'), at('2026-10-24T20:00:00Z')]) {
    const walk = [from];
    for (let step = 0; step < 150; step++) walk.push(nextDueAfter(schedule, walk.at(-1) ?? from) ?? NaN);
    for (const count of [1, 2, 100, 101, 150]) {
      const lastMs = walk[count - 1] ?? NaN;
      expect(dueTimesUntil(schedule, from, lastMs)).toEqual({
        newest: walk.slice(Math.max(0, count - MAX_CAUGHT_UP), count),
        before: Math.max(0, count - MAX_CAUGHT_UP),
        next: walk[count],
      });
    }
  }
});

it('looks at nothing but the following due time where none was missed', () => {
  const nextRun = jest.spyOn(Cron.prototype, 'nextRun');
  const previousRuns = jest.spyOn(Cron.prototype, 'previousRuns');
  try {
    const from = at('2026-01-01T00:00:00Z');
    dueTimesUntil({ cron: '0 0 29 2 *' }, from, from + 300);
    expect([nextRun.mock.calls.length, previousRuns.mock.calls.length]).toEqual([1, 0]);
  } finally {
    jest.restoreAllMocks();
  }
});
