import { SluiceError } from '@sluice/event-log';
import { FakeClock } from '../testing/fake-clock';
import { FailedAuthenticationLimiter } from './failed-authentication-limiter';
import { sourceKey } from './source-key';

const LIMITED = { code: 'rate_limited', retryAfterMs: 500 };

function setUp(maxTracked = 100) {
  const clock = new FakeClock();
  const limiter = new FailedAuthenticationLimiter({ perSecond: 2, burst: 3, maxTracked, clock: clock.read });
  const failWith = (address: string, code: 'unauthorized' | 'token_expired' | 'read_model_unavailable') =>
    limiter.guard(address, () => Promise.reject(new SluiceError(code, 'no')));
  return { clock, limiter, failWith };
}

describe('FailedAuthenticationLimiter', () => {
  it('stops a source that fails too often without asking any more, until it has waited', async () => {
    const { clock, limiter, failWith } = setUp();
    for (let n = 0; n < 3; n++)
      await expect(failWith('192.0.2.1', 'unauthorized')).rejects.toMatchObject({ status: 401 });
    const authenticate = jest.fn(async () => 'in');
    await expect(limiter.guard('192.0.2.1', authenticate)).rejects.toMatchObject(LIMITED);
    expect(authenticate).not.toHaveBeenCalled();
    expect(await limiter.guard('192.0.2.2', authenticate)).toBe('in');
    clock.advance(500);
    expect(await limiter.guard('192.0.2.1', authenticate)).toBe('in');
    await expect(failWith('192.0.2.1', 'unauthorized')).rejects.toMatchObject({ status: 401 });
    await expect(failWith('192.0.2.1', 'unauthorized')).rejects.toMatchObject(LIMITED);
  });

  it('counts failures of ours and expired tokens as nothing, nor successes', async () => {
    const { limiter, failWith } = setUp();
    for (let n = 0; n < 20; n++) {
      await expect(failWith('192.0.2.1', 'token_expired')).rejects.toMatchObject({ code: 'token_expired' });
      await expect(failWith('192.0.2.1', 'read_model_unavailable')).rejects.toMatchObject({ status: 503 });
      await limiter.guard('192.0.2.1', async () => undefined);
    }
    expect(() => limiter.check('192.0.2.1')).not.toThrow();
  });

  it('takes the addresses of one IPv6 network together', () => {
    const { limiter } = setUp();
    for (let n = 1; n <= 3; n++) limiter.recordFailure(`2001:db8:0:1::${n}`);
    expect(() => limiter.check('2001:db8:0:1:ffff::9')).toThrow(expect.objectContaining(LIMITED));
    expect(() => limiter.check('2001:db8:0:2::1')).not.toThrow();
  });
});

describe('sourceKey', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:0DB8:0000:0001:0000:0000:0000:0001', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5::', '1:2:3:4::/64'],
    ['', ''],
    ['unknown', 'unknown'],
  ])('%s is %s', (address, expected) => {
    expect(sourceKey(address)).toBe(expected);
  });

  it('is short for any text', () => {
    for (const text of ['x'.repeat(1_000_000), ':'.repeat(1_000_000), 'a:'.repeat(1_000_000)]) {
      expect(sourceKey(text).length).toBeLessThan(100);
    }
  });
});
