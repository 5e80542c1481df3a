import { growthOf, growthOfLag, type Sample } from './usage';

const MINUTES_10 = 120;

/** @param change of the last half, from a process that takes 200 MB and 50 descriptors */
function samples(count: number, change: Partial<Sample>): readonly Sample[] {
  const usual = { pid: 1, residentBytes: 200_000_000, descriptors: 50 };
  return Array.from({ length: count }, (_, n) => (n < count / 2 ? usual : { ...usual, ...change }));
}

describe('growthOf', () => {
  it('finds nothing in a process that stays as it is, or is a little larger', () => {
    expect(growthOf('query', samples(MINUTES_10, {}))).toEqual([]);
    expect(growthOf('query', samples(MINUTES_10, { residentBytes: 230_000_000, descriptors: 60 }))).toEqual([]);
  });

  it('finds memory that grows', () => {
    expect(growthOf('query', samples(MINUTES_10, { residentBytes: 300_000_000 }))).toEqual([
      'memory of query grew from 200000000 to 300000000 bytes',
    ]);
  });

  it('finds descriptors that grow', () => {
    expect(growthOf('query', samples(MINUTES_10, { descriptors: 100 }))).toEqual([
      'descriptors of query grew from 50 to 100',
    ]);
  });

  it('takes no trend from a short run, but sees that another process came', () => {
    expect(growthOf('query', samples(10, { residentBytes: 300_000_000 }))).toEqual([]);
    expect(growthOf('query', samples(10, { pid: 2 }))).toEqual(['query was 2 processes']);
  });
});

describe('growthOfLag', () => {
  const lags = (before: number, after: number) =>
    Array.from({ length: MINUTES_10 }, (_, n) => (n < MINUTES_10 / 2 ? before : after));

  it('finds projections that fall behind', () => {
    expect(growthOfLag(lags(10, 20))).toEqual([]);
    expect(growthOfLag(lags(10, 1_000))).toEqual(['the lag grew from 10 to 1000 events']);
  });
});
