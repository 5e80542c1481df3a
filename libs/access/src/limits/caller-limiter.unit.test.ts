import { accessConfigSchema } from '../access-config';
import type { CallerLimits } from '../api-keys/api-key-record';
import type { Principal } from '../principal';
import { FakeClock } from '../testing/fake-clock';
import { CallerLimiter } from './caller-limiter';
import { MemoryConnectionSlots } from './connection-slots';

const key = (keyId: string, limits: CallerLimits = {}): Principal => ({
  kind: 'api_key',
  keyId,
  workspaceId: 1,
  role: 'writer',
  limits,
});
const sandbox = (sandboxId: string, tokenId: string): Principal => ({
  kind: 'sandbox',
  sandboxId,
  tokenId,
  workspaceId: 1,
  expiresAt: 0,
});

function setUp() {
  const { limits } = accessConfigSchema.parse({
    limits: {
      apiKey: { requestsPerSecond: 1, burst: 4, connections: 2 },
      sandbox: { requestsPerSecond: 1, burst: 2, connections: 1 },
      totalConnections: 4,
    },
  });
  return new CallerLimiter(limits, { clock: new FakeClock().read });
}

function requestsOf(limiter: CallerLimiter, principal: Principal): number {
  for (let n = 0; ; n++) {
    try {
      limiter.takeRequest(principal);
    } catch (error) {
      expect(error).toMatchObject({ code: 'rate_limited' });
      return n;
    }
  }
}

describe('CallerLimiter', () => {
  it('counts requests by the configured limits or those of the key', () => {
    const limiter = setUp();
    expect(requestsOf(limiter, key('plain'))).toBe(4);
    expect(requestsOf(limiter, key('burst', { burst: 7 }))).toBe(7);
    expect(requestsOf(limiter, key('rate', { requestsPerSecond: 5 }))).toBe(10);
    expect(requestsOf(limiter, key('slow', { requestsPerSecond: 0.1 }))).toBe(1);
  });

  it('counts each event of a batch, as a debt where the burst does not cover it', () => {
    const limiter = setUp();
    limiter.takeRequest(key('a'));
    limiter.takeEvents(key('a'), 1);
    expect(requestsOf(limiter, key('a'))).toBe(3);
    limiter.takeRequest(key('b'));
    limiter.takeEvents(key('b'), 10);
    try {
      limiter.takeRequest(key('b'));
      throw new Error('it was let in');
    } catch (error) {
      // 4 in the burst, 10 taken: seven seconds until there is one again.
      expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
    }
  });

  it('counts a sandbox whatever token it has', () => {
    const limiter = setUp();
    expect(requestsOf(limiter, sandbox('a', 'first'))).toBe(2);
    expect(requestsOf(limiter, sandbox('a', 'second'))).toBe(0);
    expect(requestsOf(limiter, sandbox('b', 'first'))).toBe(2);
  });

  it('counts streams per caller and in total', () => {
    const limiter = setUp();
    const tooMany = expect.objectContaining({ code: 'too_many_connections' });
    const lease = limiter.openConnection(sandbox('a', 'first'));
    expect(() => limiter.openConnection(sandbox('a', 'second'))).toThrow(tooMany);
    for (let n = 0; n < 3; n++) limiter.openConnection(key('own', { connections: 3 }));
    expect(() => limiter.openConnection(key('plain'))).toThrow(tooMany);
    lease.release();
    limiter.openConnection(key('plain'));
    expect(limiter.openConnections).toBe(4);
  });

  it('says what a caller may still do, without counting', () => {
    const clock = new FakeClock(0);
    const { limits } = accessConfigSchema.parse({ limits: { apiKey: { requestsPerSecond: 2, burst: 10 } } });
    const limiter = new CallerLimiter(limits, { clock: clock.read });
    expect(limiter.remaining(key('a'))).toMatchObject({ limit: 10, remaining: 10 });
    for (let n = 0; n < 4; n++) limiter.takeRequest(key('a'));
    const before = Date.now();
    const { resetAtMs, ...rest } = limiter.remaining(key('a'));
    const after = Date.now();
    expect(rest).toEqual({ limit: 10, remaining: 6 });
    expect(resetAtMs).toBeGreaterThanOrEqual(before + 1_999);
    expect(resetAtMs).toBeLessThanOrEqual(after + 2_001);
    limiter.takeEvents(key('a'), 100);
    expect(limiter.remaining(key('a'))).toMatchObject({ limit: 10, remaining: 0 });
    clock.advance(100_000);
    expect(limiter.remaining(key('a'))).toMatchObject({ limit: 10, remaining: 10 });
    expect(limiter.rateOf(key('own', { requestsPerSecond: 3 }))).toEqual({ requestsPerSecond: 3, burst: 6 });
  });

  it('counts a stream token with its key, and local callers by workspace', () => {
    const limiter = setUp();
    const token: Principal = { kind: 'stream', keyId: 'a', workspaceId: 1, scope: {}, expiresAt: 0, limits: {} };
    expect(requestsOf(limiter, token)).toBe(4);
    expect(requestsOf(limiter, key('a'))).toBe(0);
    expect(requestsOf(limiter, { kind: 'local', workspaceId: 1 })).toBe(4);
    expect(requestsOf(limiter, { kind: 'local', workspaceId: 2 })).toBe(4);
    const own: Principal = { ...token, keyId: 'b', limits: { connections: 1 } };
    limiter.openConnection(own);
    expect(() => limiter.openConnection(own)).toThrow('Too many');
  });

  describe('connections counted over all replicas', () => {
    const POOL = { pool: 'registry', limit: 2 };
    const TOO_MANY = { code: 'too_many_connections', retryAfterMs: expect.any(Number) };
    const never = () => {
      throw new Error('lost');
    };

    function replicas() {
      const slots = new MemoryConnectionSlots();
      const { limits } = accessConfigSchema.parse({ limits: { apiKey: { connections: 3 }, totalConnections: 100 } });
      const make = () => new CallerLimiter(limits, { slots: async () => slots });
      return [make(), make()] as const;
    }

    it('are bounded by the pool, for each caller, at all replicas together', async () => {
      const [one, other] = replicas();
      const lease = await one.openSharedConnection(key('a'), POOL, never);
      await other.openSharedConnection(key('a'), POOL, never);
      await expect(other.openSharedConnection(key('a'), POOL, never)).rejects.toMatchObject(TOO_MANY);
      await other.openSharedConnection(key('b'), POOL, never);
      await other.openSharedConnection(key('a'), { ...POOL, pool: 'other' }, never);
      lease.release();
      lease.release();
      await other.openSharedConnection(key('a'), POOL, never);
      await expect(one.openSharedConnection(key('a'), POOL, never)).rejects.toMatchObject(TOO_MANY);
    });

    it('are bounded by what the key itself says', async () => {
      const [one, other] = replicas();
      const three = key('a', { connections: 3 });
      for (const limiter of [one, other, one]) await limiter.openSharedConnection(three, POOL, never);
      await expect(other.openSharedConnection(three, POOL, never)).rejects.toMatchObject(TOO_MANY);
      const none = key('b', { connections: 0 });
      await expect(one.openSharedConnection(none, POOL, never)).rejects.toMatchObject({ code: 'too_many_connections' });
    });

    it('take a slot in the process too, and give it back when there is none elsewhere', async () => {
      const [one] = replicas();
      const wide = { pool: 'wide', limit: 10 };
      const leases = [];
      for (let n = 0; n < 3; n++) leases.push(await one.openSharedConnection(key('a'), wide, never));
      const full = { code: 'too_many_connections' };
      await expect(one.openSharedConnection(key('a'), wide, never)).rejects.toMatchObject(full);
      leases[0]?.release();
      await expect(one.openSharedConnection(key('a'), { pool: 'narrow', limit: 0 }, never)).rejects.toMatchObject(full);
      expect(one.openConnections).toBe(2);
      await one.openSharedConnection(key('a'), wide, never);
      expect(one.openConnections).toBe(3);
    });
  });
});
