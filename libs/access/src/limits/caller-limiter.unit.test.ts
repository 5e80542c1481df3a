import { accessConfigSchema } from '../access-config';
import type { CallerLimits } from '../api-keys/api-key-record';
import type { Principal } from '../principal';
import { FakeClock } from '../testing/fake-clock';
import { CallerLimiter } from './caller-limiter';

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
  return new CallerLimiter(limits, new FakeClock().read);
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
});
