import fc from 'fast-check';
import { isRating, meanScore, scoreOfAttestation, scoreOfFeedback } from './scores';

describe('scoreOfFeedback', () => {
  it.each([
    ['85', 0, 85],
    ['8549', 2, 85],
    ['8550', 2, 86],
    ['5', 1, 1],
    ['4', 1, 0],
    ['-1', 0, 0],
    ['101', 0, 100],
    ['0', 0, 0],
    ['995', 1, 100],
    ['170141183460469231731687303715884105727', 0, 100],
    ['-170141183460469231731687303715884105728', 0, 0],
    ['170141183460469231731687303715884105727', 37, 17],
    ['99500000000000000000', 18, 100],
    ['1', 255, 0],
    ['100', -1, 0],
    ['100', 0.5, 0],
    ['', 0, 0],
    ['x', 0, 0],
    ['1e2', 0, 0],
    ['0x10', 0, 0],
    [' 7', 0, 0],
  ])('makes of %s with %d decimals %d', (value, decimals, score) => {
    expect(scoreOfFeedback(value, decimals)).toBe(score);
  });

  it('rounds half up, however large the number', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(1n << 127n), max: (1n << 127n) - 1n }),
        fc.integer({ min: 0, max: 18 }),
        (value, decimals) => {
          const power = 10n ** BigInt(decimals);
          let score = 0n;
          while (score < 100n && 2n * value >= (2n * score + 1n) * power) score++;
          expect(scoreOfFeedback(value.toString(), decimals)).toBe(Number(score));
        },
      ),
      { seed: 4, numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.integer({ min: -2000, max: 20000 }), fc.integer({ min: 0, max: 3 }), (value, decimals) => {
        const doubled = 2 * value + 10 ** decimals;
        const expected = Math.min(100, Math.max(0, Math.floor(doubled / (2 * 10 ** decimals))));
        expect(scoreOfFeedback(String(value), decimals)).toBe(expected);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('isRating', () => {
  it.each(['', 'starred', 'helpful', 'quality'])('counts %j', (tag) => {
    expect(isRating(tag, 'uptime')).toBe(true);
  });

  it.each([
    ...['reachable', 'ownerVerified', 'uptime', 'successRate', 'responseTime', 'blocktimeFreshness', 'revenues'],
    ...['tradingYield', 'reachability_mcp', 'reachability_a2a', 'reachability_web', 'UPTIME', ' uptime '],
  ])('does not count %j', (tag) => {
    expect(isRating(tag, '')).toBe(false);
  });
});

describe('meanScore', () => {
  it('has two decimals, and is 0 of none', () => {
    expect([meanScore(0, 0), meanScore(200, 3), meanScore(100, 3), meanScore(161, 2)]).toEqual([0, 66.67, 33.33, 80.5]);
  });
});

describe('scoreOfAttestation', () => {
  it('is of 1 to 5 only', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 1.5, Number.NaN].map(scoreOfAttestation)).toEqual([
      ...[undefined, 0, 25, 50, 75, 100, undefined, undefined, undefined],
    ]);
  });
});
