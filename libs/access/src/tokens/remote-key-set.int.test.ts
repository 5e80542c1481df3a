import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { accessConfigSchema } from '../access-config';
import { FakeClock } from '../testing/fake-clock';
import { keyPair, keySet, sign, type KeyPair } from '../testing/token-tools';
import { KEY_SET_RETRY_DELAY_MS, MAX_KEY_SET_BYTES } from './remote-key-set';
import { TokenVerifier } from './token-verifier';

const BAD = { code: 'unauthorized' };
const UNAVAILABLE = { code: 'key_set_unavailable', status: 503, retryable: true };
const COOLDOWN_MS = 30_000;
const CACHE_MAX_AGE_MS = 600_000;
const STALE_MAX_AGE_MS = 3_600_000;

describe('keys from an address', () => {
  let server: Server;
  let requests = 0;
  let answer: (response: ServerResponse) => void;
  let clock: FakeClock;
  let verifier: TokenVerifier;
  let first: KeyPair;
  let second: KeyPair;

  const serve = (...pairs: KeyPair[]) => {
    answer = (response) => response.end(JSON.stringify(keySet(...pairs)));
  };
  const token = (pair: KeyPair) =>
    sign({ sandboxId: 's', workspaceId: 1, exp: clock.nowMs / 1000 + 9_999_999 }, pair.privateKey, {
      alg: 'EdDSA',
      kid: pair.jwk.kid,
    });

  beforeAll(async () => {
    [first, second] = await Promise.all([keyPair('EdDSA', 'first'), keyPair('EdDSA', 'second')]);
  });

  beforeEach(async () => {
    requests = 0;
    clock = new FakeClock();
    server = createServer((_, response) => {
      requests++;
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    verifier = verifierWithin(3_000);
  });

  function verifierWithin(timeoutMs: number): TokenVerifier {
    const jwks = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`, timeoutMs };
    return new TokenVerifier(accessConfigSchema.parse({ tokens: { jwks } }).tokens, clock.read);
  }

  afterEach(() => stop(server));

  it('fetches once for many tokens at a time, and not again while the keys are young', async () => {
    serve(first);
    const text = await token(first);
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(text)));
    clock.advance(CACHE_MAX_AGE_MS - 1);
    await verifier.verify(text);
    expect(requests).toBe(1);
    clock.advance(1);
    await verifier.verify(text);
    expect(requests).toBe(2);
  });

  it('fetches anew for an unknown key id, at most once per cooldown', async () => {
    serve(first);
    await verifier.verify(await token(first));
    serve(first, second);
    await expect(verifier.verify(await token(second))).rejects.toMatchObject(BAD);
    expect(requests).toBe(1);
    clock.advance(COOLDOWN_MS);
    await expect(verifier.verify(await token(second))).resolves.toMatchObject({ workspaceId: 1 });
    expect(requests).toBe(2);
    const stranger = await token(await keyPair('EdDSA', 'stranger'));
    for (let n = 0; n < 5; n++) await expect(verifier.verify(stranger)).rejects.toMatchObject(BAD);
    expect(requests).toBe(2);
  });

  it('goes on with known keys while the address is down, up to their stale age', async () => {
    serve(first);
    const text = await token(first);
    await verifier.verify(text);
    answer = (response) => response.writeHead(500).end();
    clock.advance(STALE_MAX_AGE_MS - 1);
    await expect(verifier.verify(text)).resolves.toMatchObject({ workspaceId: 1 });
    clock.advance(1);
    await expect(verifier.verify(text)).rejects.toMatchObject(UNAVAILABLE);
    serve(first);
    clock.advance(KEY_SET_RETRY_DELAY_MS);
    await expect(verifier.verify(text)).resolves.toMatchObject({ workspaceId: 1 });
  });

  it('answers 503 while nothing listens at the address, and serves again when it is back', async () => {
    serve(first);
    const text = await token(first);
    const { port } = server.address() as AddressInfo;
    await stop(server);
    await expect(verifier.verify(text)).rejects.toMatchObject(UNAVAILABLE);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    clock.advance(KEY_SET_RETRY_DELAY_MS);
    await expect(verifier.verify(text)).resolves.toMatchObject({ workspaceId: 1 });
    await stop(server);
    clock.advance(CACHE_MAX_AGE_MS);
    await expect(verifier.verify(text)).resolves.toMatchObject({ workspaceId: 1 });
    await expect(verifier.verify(await token(second))).rejects.toMatchObject(UNAVAILABLE);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });

  it('follows a rotation: the new key is found, the withdrawn one is refused', async () => {
    serve(first);
    await verifier.verify(await token(first));
    serve(first, second);
    clock.advance(COOLDOWN_MS);
    await expect(verifier.verify(await token(second))).resolves.toMatchObject({ workspaceId: 1 });
    await expect(verifier.verify(await token(first))).resolves.toMatchObject({ workspaceId: 1 });
    serve(second);
    clock.advance(CACHE_MAX_AGE_MS);
    await expect(verifier.verify(await token(second))).resolves.toMatchObject({ workspaceId: 1 });
    await expect(verifier.verify(await token(first))).rejects.toMatchObject(BAD);
    expect(requests).toBe(3);
  });

  it('asks the address once for a flood of unknown key ids after a cooldown', async () => {
    serve(first);
    await verifier.verify(await token(first));
    const claims = { sandboxId: 's', workspaceId: 1, exp: clock.nowMs / 1000 + 9_999_999 };
    const flood = await Promise.all(
      Array.from({ length: 100 }, (_, n) => sign(claims, second.privateKey, { alg: 'EdDSA', kid: `kid ${n}` })),
    );
    for (let round = 1; round <= 3; round++) {
      clock.advance(COOLDOWN_MS);
      const outcomes = await Promise.allSettled(flood.map((text) => verifier.verify(text)));
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: BAD });
      expect(requests).toBe(1 + round);
    }
  });

  it('does not hammer an address that fails', async () => {
    answer = (response) => response.writeHead(500).end();
    const text = await token(first);
    for (let n = 0; n < 5; n++) await expect(verifier.verify(text)).rejects.toMatchObject(UNAVAILABLE);
    expect(requests).toBe(1);
    clock.advance(KEY_SET_RETRY_DELAY_MS);
    await expect(verifier.verify(text)).rejects.toMatchObject(UNAVAILABLE);
    expect(requests).toBe(2);
  });

  it.each<[string, (response: ServerResponse) => void, number?]>([
    ['no answer', () => undefined, 2_000],
    ['a body that never ends', (response) => void response.write('{"keys":['), 2_000],
    ['a body that is too large', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(MAX_KEY_SET_BYTES)}"}`)],
    ['no JSON', (response) => response.end('<html>')],
    ['no key set', (response) => response.end('{"keys":"none"}')],
    ['a redirect', (response) => response.writeHead(302, { location: '/jwks.json' }).end()],
    ['a cut connection', (response) => void response.destroy()],
  ])('says that it cannot tell, not that the token is bad: %s', async (_, faulty, timeoutMs = 3_000) => {
    answer = faulty;
    verifier = verifierWithin(timeoutMs);
    await expect(verifier.verify(await token(first))).rejects.toMatchObject(UNAVAILABLE);
    await until(() => requests === 1, 'one request');
  });

  it('does not use symmetric and private keys of a set', async () => {
    const k = Buffer.from('a symmetric key in a public place').toString('base64url');
    answer = (response) => response.end(JSON.stringify({ keys: [{ kty: 'oct', k, kid: 'first', alg: 'HS256' }] }));
    const claims = { sandboxId: 's', workspaceId: 1, exp: clock.nowMs / 1000 + 60 };
    const forged = await sign(claims, Buffer.from(k, 'base64url'), { alg: 'HS256', kid: 'first' });
    await expect(verifier.verify(forged)).rejects.toMatchObject(BAD);
    await expect(verifier.verify(await token(first))).rejects.toMatchObject(BAD);
  });
});

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
