import fc from 'fast-check';
import { ConnectionLimiter, SLOT_RETRY_AFTER_MS, type ConnectionLease } from './connection-limiter';

const TOO_MANY = expect.objectContaining({
  code: 'too_many_connections',
  status: 429,
  retryAfterMs: SLOT_RETRY_AFTER_MS,
});

describe('ConnectionLimiter', () => {
  it('bounds each key and the total, and gives slots back once', () => {
    const limiter = new ConnectionLimiter({ perKey: 2, total: 3 });
    const first = limiter.acquire('a');
    limiter.acquire('a');
    expect(() => limiter.acquire('a')).toThrow(TOO_MANY);
    const third = limiter.acquire('b');
    expect(() => limiter.acquire('c')).toThrow(TOO_MANY);
    expect(limiter.total).toBe(3);
    first.release();
    first.release();
    expect([limiter.total, limiter.countOf('a'), limiter.countOf('c')]).toEqual([2, 1, 0]);
    limiter.acquire('a');
    expect(() => limiter.acquire('c')).toThrow(TOO_MANY);
    third.release();
    expect(limiter.acquire('c')).toBeDefined();
  });

  it('takes the limit of the key itself', () => {
    const limiter = new ConnectionLimiter({ perKey: 1, total: 10 });
    limiter.acquire('a', 2);
    limiter.acquire('a', 2);
    expect(() => limiter.acquire('a', 2)).toThrow(TOO_MANY);
    expect(() => limiter.acquire('b', 0)).toThrow(TOO_MANY);
  });

  it('counts right whatever comes and goes', () => {
    const command = fc.record({ key: fc.constantFrom('a', 'b', 'c'), open: fc.boolean(), pick: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const limiter = new ConnectionLimiter({ perKey: 3, total: 5 });
        const open = new Map<ConnectionLease, string>();
        const countOf = (key: string) => [...open.values()].filter((each) => each === key).length;
        const leases: ConnectionLease[] = [];
        for (const { key, open: opens, pick } of commands) {
          if (opens && countOf(key) < 3 && open.size < 5) {
            const lease = limiter.acquire(key);
            open.set(lease, key);
            leases.push(lease);
          } else if (opens) {
            expect(() => limiter.acquire(key)).toThrow(TOO_MANY);
          } else {
            const lease = leases[pick % Math.max(1, leases.length)];
            lease?.release();
            if (lease !== undefined) open.delete(lease);
          }
          expect(limiter.total).toBe(open.size);
          for (const each of ['a', 'b', 'c']) expect(limiter.countOf(each)).toBe(countOf(each));
        }
      }),
    );
  });
});
