import type { Lane } from '@sluice/event-log';
import { ProjectionLag } from '../src/projection-lag';
import { range } from './tools';

const lanes = (...numbers: number[]) => new Map(numbers.map((number, lane) => [lane as Lane, number]));

describe('ProjectionLag', () => {
  it('is 0 where everything is projected, however long ago, and by whomever', () => {
    const lag = new ProjectionLag();
    for (const nowMs of [0, 1_000, 3_600_000]) {
      expect(lag.measure(lanes(5, 7), lanes(5, 7), nowMs)).toEqual({ records: 0, ageMs: 0 });
    }
    // A quiet hour does not count for what comes after it.
    expect(lag.measure(lanes(6, 7), lanes(5, 7), 3_601_000)).toEqual({ records: 1, ageMs: 0 });
    expect(lag.measure(lanes(6, 7), lanes(5, 7), 3_602_000)).toEqual({ records: 1, ageMs: 1_000 });
    expect(lag.measure(lanes(6, 7), lanes(6, 7), 3_603_000)).toEqual({ records: 0, ageMs: 0 });
  });

  it('is the age of the oldest end that is not reached, over all lanes', () => {
    const lag = new ProjectionLag();
    lag.measure(lanes(10, 0), lanes(0, 0), 0);
    lag.measure(lanes(20, 3), lanes(0, 0), 1_000);
    expect(lag.measure(lanes(30, 3), lanes(9, 0), 2_000)).toEqual({ records: 24, ageMs: 2_000 });
    expect(lag.measure(lanes(40, 3), lanes(10, 0), 3_000)).toEqual({ records: 33, ageMs: 2_000 });
    expect(lag.measure(lanes(40, 3), lanes(39, 3), 4_000)).toEqual({ records: 1, ageMs: 1_000 });
  });

  it('does not grow while the projector keeps one step behind', () => {
    const lag = new ProjectionLag();
    for (const n of range(1, 1_000)) {
      expect(lag.measure(lanes(n * 10), lanes(n * 10 - 15), n * 1_000).ageMs).toBeLessThanOrEqual(1_000);
    }
  });

  it('grows for as long as nothing is projected', () => {
    const lag = new ProjectionLag();
    for (const n of range(0, 500)) expect(lag.measure(lanes(n + 1), lanes(0), n * 1_000).ageMs).toBe(n * 1_000);
  });

  it('forgets the ends of a log that was made anew', () => {
    const lag = new ProjectionLag();
    lag.measure(lanes(100), lanes(0), 0);
    expect(lag.measure(lanes(2), lanes(0), 5_000)).toEqual({ records: 2, ageMs: 0 });
  });
});
