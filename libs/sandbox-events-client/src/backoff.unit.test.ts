import { backoffCeilingMs, fullJitterMs, halfJitterMs, retryAfterMs } from './backoff';

it('doubles from the first delay up to the longest', () => {
  expect([0, 1, 2, 3, 4, 5, 50, 5_000].map((n) => backoffCeilingMs(n, 1_000, 30_000))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect(backoffCeilingMs(3, 60_000, 30_000)).toBe(60_000);
});

it('spreads within its bounds', () => {
  for (let n = 0; n < 200; n += 1) {
    expect(fullJitterMs(10)).toBeLessThanOrEqual(10);
    expect(halfJitterMs(10)).toBeGreaterThanOrEqual(5);
    expect(halfJitterMs(10)).toBeLessThanOrEqual(10);
  }
});

it('understands both forms of Retry-After', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfterMs('2', nowMs)).toBe(2_000);
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', nowMs)).toBe(5_000);
  expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', nowMs)).toBe(0);
  expect(retryAfterMs('soon', nowMs)).toBeUndefined();
  expect(retryAfterMs(null, nowMs)).toBeUndefined();
});
