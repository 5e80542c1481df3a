import fc from 'fast-check';
import { FakeClock } from '../testing/fake-clock';
import { TokenBucketLimiter } from './token-bucket';

function limiter(requestsPerSecond: number, burst: number, maxTracked = 100) {
  const clock = new FakeClock(0);
  return { clock, limiter: new TokenBucketLimiter({ requestsPerSecond, burst, maxTracked, clock: clock.read }) };
}

const rates = fc.record({
  requestsPerSecond: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 100 }),
});
const steps = fc.array(fc.double({ min: 0, max: 2_000, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('TokenBucketLimiter', () => {
  it('admits no more than the burst and what was refilled, in any span', () => {
    fc.assert(
      fc.property(rates, steps, ({ requestsPerSecond, burst }, pausesMs) => {
        const { clock, limiter: bucket } = limiter(requestsPerSecond, burst);
        const admittedAt: number[] = [];
        const tooMany: [number, number][] = [];
        for (const pauseMs of pausesMs) {
          clock.advance(pauseMs);
          for (let n = 0; n < 3; n++) if (bucket.take('k').admitted) admittedAt.push(clock.nowMs);
        }
        for (const [i, start] of admittedAt.entries()) {
          for (let j = i; j < admittedAt.length; j++) {
            const spanMs = (admittedAt[j] ?? 0) - start;
            const most = burst + (spanMs * requestsPerSecond) / 1000 + 0.01;
            if (j - i + 1 > most) tooMany.push([i, j]);
          }
        }
        expect(tooMany).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('admits who has waited as told, and nobody much earlier', () => {
    fc.assert(
      fc.property(rates, steps, ({ requestsPerSecond, burst }, pausesMs) => {
        const { clock, limiter: bucket } = limiter(requestsPerSecond, burst);
        for (const pauseMs of pausesMs) {
          clock.advance(pauseMs);
          let admission = bucket.take('k');
          while (admission.admitted) admission = bucket.take('k');
          const { retryAfterMs } = admission;
          expect(Number.isInteger(retryAfterMs) && retryAfterMs >= 1).toBe(true);
          clock.advance(Math.max(0, retryAfterMs - 1.01));
          expect(bucket.peek('k').admitted).toBe(false);
          clock.advance(retryAfterMs - Math.max(0, retryAfterMs - 1.01));
          expect(bucket.take('k').admitted).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never refuses a caller who keeps to the rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (requestsPerSecond) => {
        const { clock, limiter: bucket } = limiter(requestsPerSecond, 1);
        const refused: number[] = [];
        for (let n = 0; n < 2_000; n++) {
          if (!bucket.take('k').admitted) refused.push(n);
          clock.advance(1000 / requestsPerSecond);
        }
        expect(refused).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps keys apart, and a bounded number of them', () => {
    const { limiter: bucket } = limiter(1, 1, 3);
    expect(bucket.take('a').admitted).toBe(true);
    expect(bucket.take('a').admitted).toBe(false);
    expect(bucket.take('b').admitted).toBe(true);
    for (let n = 0; n < 1000; n++) bucket.take(`flood-${n}`);
    expect(bucket.size).toBe(3);
  });

  it('forgets who was not seen for longest', () => {
    const { limiter: bucket } = limiter(1, 1, 2);
    bucket.take('busy');
    for (let n = 0; n < 10; n++) {
      bucket.take(`other-${n}`);
      expect(bucket.take('busy').admitted).toBe(false);
    }
  });

  it('neither refills nor punishes when the clock goes back', () => {
    const { clock, limiter: bucket } = limiter(1000, 1);
    bucket.take('a');
    clock.advance(-5_000);
    expect(bucket.take('a')).toEqual({ admitted: false, retryAfterMs: 1 });
  });

  it('throws with the time to wait', () => {
    const { limiter: bucket } = limiter(2, 1);
    bucket.consume('a');
    expect(() => bucket.consume('a')).toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterMs: 500 }));
  });

  it('takes a rate of its own for a key, up and down', () => {
    const { limiter: bucket } = limiter(1, 1);
    const own = { requestsPerSecond: 1, burst: 3 };
    for (let n = 0; n < 3; n++) expect(bucket.take('a', own).admitted).toBe(true);
    expect(bucket.take('a', own).admitted).toBe(false);
  });

  it('peeks without taking or remembering', () => {
    const { limiter: bucket } = limiter(1, 1);
    expect(bucket.peek('a').admitted).toBe(true);
    expect(bucket.size).toBe(0);
    bucket.take('a');
    expect(bucket.peek('a')).toEqual({ admitted: false, retryAfterMs: 1000 });
  });
});
