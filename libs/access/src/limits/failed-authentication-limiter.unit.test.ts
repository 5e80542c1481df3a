import { SluiceError } from '@sluice/event-log';
import { accessConfigSchema } from '../access-config';
import { createAccessControl } from '../access-control';
import { newApiKeyText } from '../api-keys/api-key-text';
import { issueApiKey } from '../api-keys/issue-api-key';
import { MemoryApiKeyStore } from '../api-keys/memory-api-key-store';
import { KNOWN_FOR_MS } from '../clock';
import { FakeClock } from '../testing/fake-clock';
import { SECRET } from '../testing/token-tools';
import { FailedAuthenticationLimiter } from './failed-authentication-limiter';
import { sourceKey } from './source-key';

const LIMITED = { code: 'rate_limited', retryAfterMs: 500 };
const BAD = { code: 'unauthorized' };
const HERE = '192.0.2.1';
const TTL_MS = 5_000;

/** The memory store, counting questions, with a fault on demand. */
class WatchedStore extends MemoryApiKeyStore {
  questions = 0;
  isDown = false;

  override async findByHash(hash: string) {
    this.questions++;
    if (this.isDown) throw new Error('connection lost');
    return super.findByHash(hash);
  }
}

async function setUp() {
  const clock = new FakeClock();
  const store = new WatchedStore(clock.read);
  const config = accessConfigSchema.parse({
    tokens: { secrets: [{ secret: SECRET }] },
    apiKeyCache: { ttlMs: TTL_MS },
  });
  const access = await createAccessControl(config, store, { clock: clock.read });
  const limiter = new FailedAuthenticationLimiter({ perSecond: 2, burst: 3, maxTracked: 100, clock: clock.read });
  const key = async () => (await issueApiKey(store, { workspaceId: 1, role: 'reader', name: 'x' }, clock.read)).apiKey;
  const tryKey = (apiKey: string, address = HERE) => limiter.guard(address, access, { apiKey });
  const guess = (address = HERE) => tryKey(newApiKeyText(), address);
  const exhaust = async (address = HERE) => {
    for (let n = 0; n < 3; n++) await expect(guess(address)).rejects.toMatchObject(BAD);
  };
  return { clock, store, access, limiter, key, tryKey, guess, exhaust };
}

const codesOf = async (attempts: Promise<unknown>[]) =>
  (await Promise.allSettled(attempts)).map((outcome) =>
    outcome.status === 'fulfilled' ? 'in' : (outcome.reason as SluiceError).code,
  );
const countOf = (codes: string[], code: string) => codes.filter((each) => each === code).length;

describe('FailedAuthenticationLimiter', () => {
  it('stops a source that fails too often without asking any more, until it has waited', async () => {
    const { clock, store, key, tryKey, guess, exhaust } = await setUp();
    await exhaust();
    const apiKey = await key();
    const before = store.questions;
    await expect(tryKey(apiKey)).rejects.toMatchObject(LIMITED);
    expect(store.questions).toBe(before);
    expect(await tryKey(await key(), '192.0.2.2')).toMatchObject({ workspaceId: 1 });
    clock.advance(500);
    expect(await tryKey(apiKey)).toMatchObject({ workspaceId: 1 });
    await expect(guess()).rejects.toMatchObject(BAD);
    await expect(guess()).rejects.toMatchObject(LIMITED);
  });

  it('tells why each was not let in', async () => {
    const { access, key } = await setUp();
    const reasons: string[] = [];
    const limiter = new FailedAuthenticationLimiter({
      perSecond: 2,
      burst: 1,
      maxTracked: 100,
      onFailed: (reason) => reasons.push(reason),
    });
    const attempts = [{}, { apiKey: await key() }, { apiKey: newApiKeyText() }, { bearer: 'nonsense' }];
    for (const credentials of attempts) await limiter.guard(HERE, access, credentials).catch(() => undefined);
    await limiter
      .guardProof('192.0.2.2', () => Promise.reject(new SluiceError('unauthorized', 'x')))
      .catch(() => undefined);
    expect(reasons).toEqual(['missing', 'unauthorized', 'rate_limited', 'unauthorized']);
  });

  it('lets in whoever was accepted lately while a neighbour guesses, and still asks the store', async () => {
    const { clock, store, access, key, tryKey, exhaust, limiter } = await setUp();
    const [kept, revoked] = [await key(), await key()];
    const { keyId } = await access.authenticateApiKey(revoked);
    const { accessToken } = await access.mintAccessToken({ workspaceId: 1, sandboxId: 's', ttlSeconds: 86_400 });
    await tryKey(kept);
    await limiter.guard(HERE, access, { bearer: accessToken });
    await store.revoke({ keyId });
    clock.advance(TTL_MS);
    await exhaust();
    const before = store.questions;
    expect(await tryKey(kept)).toMatchObject({ workspaceId: 1 });
    expect(store.questions).toBe(before + 1);
    await expect(tryKey(revoked)).rejects.toMatchObject(BAD);
    await expect(tryKey(revoked)).rejects.toMatchObject(LIMITED);
    clock.advance(KNOWN_FOR_MS);
    await exhaust();
    expect(await limiter.guard(HERE, access, { bearer: accessToken })).toMatchObject({ sandboxId: 's' });
    clock.advance(KNOWN_FOR_MS + TTL_MS);
    await exhaust();
    await expect(tryKey(kept)).rejects.toMatchObject(LIMITED);
  });

  it('judges no more guesses at once than may fail', async () => {
    const { store, guess } = await setUp();
    const codes = await codesOf(Array.from({ length: 400 }, () => guess()));
    expect(countOf(codes, 'unauthorized')).toBe(3);
    expect(countOf(codes, 'rate_limited')).toBe(397);
    expect(store.questions).toBe(3);
  });

  it('judges other proofs by the same measure', async () => {
    const { limiter, clock, guess } = await setUp();
    const wrong = () => limiter.guardProof(HERE, () => Promise.reject(new SluiceError('unauthorized', 'no')));
    for (let n = 0; n < 10; n++) expect(await limiter.guardProof(HERE, () => Promise.resolve(n))).toBe(n);
    await expect(guess()).rejects.toMatchObject(BAD);
    for (let n = 0; n < 2; n++) await expect(wrong()).rejects.toMatchObject(BAD);
    await expect(wrong()).rejects.toMatchObject(LIMITED);
    clock.advance(10_000);
    await expect(wrong()).rejects.toMatchObject(BAD);
  });

  it('holds up good credentials that come all at once, and refuses none of them', async () => {
    const { store, key, tryKey, exhaust } = await setUp();
    const keys = await Promise.all(Array.from({ length: 50 }, key));
    expect(countOf(await codesOf(keys.map((each) => tryKey(each))), 'in')).toBe(50);
    expect(store.questions).toBe(50);
    const same = await key();
    expect(countOf(await codesOf(Array.from({ length: 50 }, () => tryKey(same))), 'in')).toBe(50);
    await exhaust();
  });

  it('counts nothing that is no guess: no credentials, failures of ours, expired tokens, successes', async () => {
    const { clock, store, access, limiter, guess, exhaust } = await setUp();
    const { accessToken } = await access.mintAccessToken({ workspaceId: 1, sandboxId: 's', ttlSeconds: 1 });
    clock.advance(60_000);
    store.isDown = true;
    for (let n = 0; n < 20; n++) {
      await expect(limiter.guard(HERE, access, {})).rejects.toMatchObject(BAD);
      await expect(limiter.guard(HERE, access, { bearer: accessToken })).rejects.toMatchObject({
        code: 'token_expired',
      });
      await expect(guess()).rejects.toMatchObject({ code: 'read_model_unavailable' });
    }
    store.isDown = false;
    await exhaust();
    await expect(guess()).rejects.toMatchObject(LIMITED);
  });

  it('takes the addresses of one IPv6 network together', async () => {
    const { guess } = await setUp();
    for (let n = 1; n <= 3; n++) await expect(guess(`2001:db8:0:1::${n}`)).rejects.toMatchObject(BAD);
    await expect(guess('2001:db8:0:1:ffff::9')).rejects.toMatchObject(LIMITED);
    await expect(guess('2001:db8:0:2::1')).rejects.toMatchObject(BAD);
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
