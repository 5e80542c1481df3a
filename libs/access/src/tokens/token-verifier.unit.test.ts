import { exportSPKI } from 'jose';
import { accessConfigSchema, type AccessConfigInput } from '../access-config';
import { FakeClock } from '../testing/fake-clock';
import {
  base64url,
  keyPair,
  keySet,
  OTHER_SECRET,
  SECRET,
  secretBytes,
  sign,
  type KeyPair,
} from '../testing/token-tools';
import { MAX_TOKEN_CHARS, TOKEN_LEEWAY_SECONDS } from './token-claims';
import { TokenVerifier } from './token-verifier';

const clock = new FakeClock(1_800_000_000_000);
const NOW_SECONDS = 1_800_000_000;
const CLAIMS = { sandboxId: 'sandbox-123', workspaceId: 7, exp: NOW_SECONDS + 60 };
const BAD = { code: 'unauthorized', message: 'Invalid API key or access token' };
const EXPIRED = { code: 'token_expired', message: 'Access token expired' };

function verifier(tokens: AccessConfigInput['tokens']): TokenVerifier {
  return new TokenVerifier(accessConfigSchema.parse({ tokens }).tokens, clock.read);
}

const withSecret = verifier({ secrets: [{ secret: SECRET }] });

describe('tokens by secret', () => {
  it('gives who the token is for', async () => {
    expect(await withSecret.verify(await sign({ ...CLAIMS, jti: 'token-1', more: [1] }))).toEqual({
      kind: 'sandbox',
      sandboxId: 'sandbox-123',
      workspaceId: 7,
      expiresAt: (NOW_SECONDS + 60) * 1000,
      tokenId: 'token-1',
    });
    expect(await withSecret.verify(await sign(CLAIMS))).not.toHaveProperty('tokenId');
  });

  it.each([
    ['exp just within the leeway', { exp: NOW_SECONDS - TOKEN_LEEWAY_SECONDS + 1 }, undefined],
    ['exp at the end of the leeway', { exp: NOW_SECONDS - TOKEN_LEEWAY_SECONDS }, EXPIRED],
    ['exp long ago', { exp: 1 }, EXPIRED],
    ['nbf just within the leeway', { nbf: NOW_SECONDS + TOKEN_LEEWAY_SECONDS }, undefined],
    ['nbf beyond the leeway', { nbf: NOW_SECONDS + TOKEN_LEEWAY_SECONDS + 1 }, BAD],
    ['exp as string', { exp: String(NOW_SECONDS + 60) }, BAD],
    ['exp missing', { exp: undefined }, BAD],
    ['exp null', { exp: null }, BAD],
    ['exp beyond any date', { exp: 1e300 }, BAD],
    ['exp negative', { exp: -1 }, EXPIRED],
    ['nbf as string', { nbf: '0' }, BAD],
    ['workspaceId as string', { workspaceId: '7' }, BAD],
    ['workspaceId missing', { workspaceId: undefined }, BAD],
    ['workspaceId null', { workspaceId: null }, BAD],
    ['workspaceId negative', { workspaceId: -1 }, BAD],
    ['workspaceId a fraction', { workspaceId: 1.5 }, BAD],
    ['workspaceId an array', { workspaceId: [7] }, BAD],
    ['workspaceId too large', { workspaceId: 2 ** 31 }, BAD],
    ['sandboxId missing', { sandboxId: undefined }, BAD],
    ['sandboxId empty', { sandboxId: '' }, BAD],
    ['sandboxId with NUL', { sandboxId: 'sandbox-123\u0000' }, BAD],
    ['sandboxId with CR LF', { sandboxId: 'a\r\nb' }, BAD],
    ['sandboxId with a lone surrogate', { sandboxId: 'a\ud800' }, BAD],
    ['sandboxId a number', { sandboxId: 123 }, BAD],
    ['sandboxId too long', { sandboxId: 'x'.repeat(257) }, BAD],
    ['jti with a line end', { jti: 'a\nb' }, BAD],
  ])('%s', async (_, changes, error) => {
    const answer = withSecret.verify(await sign({ ...CLAIMS, ...changes }));
    if (error === undefined) expect(await answer).toMatchObject({ sandboxId: 'sandbox-123', workspaceId: 7 });
    else await expect(answer).rejects.toMatchObject(error);
  });

  it('refuses a tampered payload, header and signature', async () => {
    const token = await sign(CLAIMS);
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const flipped = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1);
    for (const forged of [
      [header, base64url({ ...CLAIMS, workspaceId: 8 }), signature],
      [base64url({ alg: 'HS256', typ: 'JWT' }), payload, signature],
      [header, payload, flipped],
      [header, payload, signature.slice(0, -4)],
      [header, payload, signature + 'AAAA'],
      [header, payload],
      [header, payload, signature, signature],
      [payload, header, signature],
    ]) {
      await expect(withSecret.verify(forged.join('.'))).rejects.toMatchObject(BAD);
    }
  });

  it.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    'HS384',
    'HS512',
    'hs256',
    '',
    1,
    null,
    undefined,
    ['HS256'],
    'constructor',
  ])('refuses the algorithm %j, with and without a signature', async (alg) => {
    const [, payload, signature] = (await sign(CLAIMS)).split('.') as [string, string, string];
    const header = base64url({ alg });
    for (const end of ['', signature]) {
      await expect(withSecret.verify(`${header}.${payload}.${end}`)).rejects.toMatchObject(BAD);
    }
  });

  it('refuses a token signed with HS512 by the right secret, and one with a critical header it does not know', async () => {
    await expect(withSecret.verify(await sign(CLAIMS, secretBytes(SECRET), { alg: 'HS512' }))).rejects.toMatchObject(
      BAD,
    );
    const [, payload, signature] = (await sign(CLAIMS)).split('.') as [string, string, string];
    const header = base64url({ alg: 'HS256', crit: ['exp'], exp: 1 });
    await expect(withSecret.verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject(BAD);
  });

  it('refuses a wrong secret, also for an expired token: forged is not expired', async () => {
    const forged = await sign({ ...CLAIMS, exp: 1 }, secretBytes(OTHER_SECRET));
    await expect(withSecret.verify(forged)).rejects.toMatchObject(BAD);
  });

  it.each(['', '.', '..', 'a.b', 'a.b.c', 'eyJ', '\u0000', 'a b.c.d', '....', 'é.é.é', '{}.{}.{}'])(
    'refuses the junk %j',
    async (text) => {
      await expect(withSecret.verify(text)).rejects.toMatchObject(BAD);
    },
  );

  it('refuses a token that is too long, before parsing, though its signature fits', async () => {
    const pad = (length: number) => sign({ ...CLAIMS, pad: 'x'.repeat(length) });
    const fits = await pad(5_900);
    expect(fits.length).toBeLessThanOrEqual(MAX_TOKEN_CHARS);
    await expect(withSecret.verify(fits)).resolves.toMatchObject({ kind: 'sandbox' });
    await expect(withSecret.verify(await pad(6_200))).rejects.toMatchObject(BAD);
    await expect(withSecret.verify('a'.repeat(50_000_000))).rejects.toMatchObject(BAD);
  });
});

describe('rotation of secrets', () => {
  const rotating = verifier({
    secrets: [
      { kid: 'new', secret: SECRET },
      { kid: 'old', secret: OTHER_SECRET },
    ],
  });

  it.each([
    ['new', SECRET, true],
    ['old', OTHER_SECRET, true],
    ['new', OTHER_SECRET, false],
    ['old', SECRET, false],
    ['gone', SECRET, false],
    ['__proto__', SECRET, false],
    ['', SECRET, false],
    [undefined, SECRET, true],
    [undefined, OTHER_SECRET, true],
    [undefined, 'a secret that nobody has configured here', false],
  ])('kid %j with the secret %j: accepted %j', async (kid, secret, accepted) => {
    const token = await sign(CLAIMS, secretBytes(secret), kid === undefined ? { alg: 'HS256' } : { alg: 'HS256', kid });
    const answer = rotating.verify(token);
    if (accepted) await expect(answer).resolves.toMatchObject({ kind: 'sandbox' });
    else await expect(answer).rejects.toMatchObject(BAD);
  });
});

describe('issuer and audience', () => {
  const strict = verifier({ secrets: [{ secret: SECRET }], issuer: 'https://issuer.test', audience: 'sluice' });

  it.each([
    [{ iss: 'https://issuer.test', aud: 'sluice' }, true],
    [{ iss: 'https://issuer.test', aud: ['other', 'sluice'] }, true],
    [{ iss: 'https://issuer.test', aud: 'other' }, false],
    [{ iss: 'https://else.test', aud: 'sluice' }, false],
    [{ aud: 'sluice' }, false],
    [{ iss: 'https://issuer.test' }, false],
  ])('%j: accepted %j', async (claims, accepted) => {
    const answer = strict.verify(await sign({ ...CLAIMS, ...claims }));
    if (accepted) await expect(answer).resolves.toMatchObject({ kind: 'sandbox' });
    else await expect(answer).rejects.toMatchObject(BAD);
  });
});

describe('tokens by key set', () => {
  let rsa: KeyPair;
  let ed: KeyPair;
  let ec: KeyPair;
  beforeAll(async () => {
    [rsa, ed, ec] = await Promise.all([keyPair('RS256', 'rsa'), keyPair('EdDSA', 'ed'), keyPair('ES256', 'ec')]);
  });

  const both = () => verifier({ secrets: [{ secret: SECRET }], jwks: keySet(rsa, ed) });

  it('accepts RS256 and EdDSA, and HS256 by the secret beside them', async () => {
    for (const token of [
      await sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'rsa' }),
      await sign(CLAIMS, rsa.privateKey, { alg: 'RS256' }),
      await sign(CLAIMS, ed.privateKey, { alg: 'EdDSA', kid: 'ed' }),
      await sign(CLAIMS),
    ]) {
      await expect(both().verify(token)).resolves.toMatchObject({ sandboxId: 'sandbox-123', workspaceId: 7 });
    }
  });

  it('judges time the same way', async () => {
    const sealed = (claims: object) => sign({ ...CLAIMS, ...claims }, ed.privateKey, { alg: 'EdDSA', kid: 'ed' });
    await expect(both().verify(await sealed({ exp: NOW_SECONDS - 5 }))).rejects.toMatchObject(EXPIRED);
    await expect(both().verify(await sealed({ exp: NOW_SECONDS - 4 }))).resolves.toMatchObject({ kind: 'sandbox' });
  });

  it('refuses the public key used as an HS256 secret, in every encoding', async () => {
    const spki = await exportSPKI(rsa.publicKey);
    const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const secrets = [spki, spki.trim(), JSON.stringify(rsa.jwk), String(rsa.jwk.n), JSON.stringify(keySet(rsa, ed))];
    for (const key of [...secrets.map(secretBytes), new Uint8Array(der), Buffer.from(String(rsa.jwk.n), 'base64url')]) {
      for (const kid of ['rsa', undefined]) {
        const token = await sign(CLAIMS, key, { alg: 'HS256', ...(kid === undefined ? {} : { kid }) });
        await expect(both().verify(token)).rejects.toMatchObject(BAD);
        await expect(verifier({ jwks: keySet(rsa, ed) }).verify(token)).rejects.toMatchObject(BAD);
      }
    }
  });

  it('refuses keys of its own, sent along in the header', async () => {
    const own = await keyPair('RS256', 'rsa');
    const token = await sign(CLAIMS, own.privateKey, { alg: 'RS256', kid: 'rsa', jwk: own.jwk });
    await expect(both().verify(token)).rejects.toMatchObject(BAD);
  });

  it.each([
    ['wrong kid', () => sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'nobody' })],
    ['the kid of another kind of key', () => sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'ed' })],
    ['PS256 by the right key', () => sign(CLAIMS, rsa.privateKey, { alg: 'PS256', kid: 'rsa' })],
    ['RS512 by the right key', () => sign(CLAIMS, rsa.privateKey, { alg: 'RS512', kid: 'rsa' })],
    ['ES256', () => sign(CLAIMS, ec.privateKey, { alg: 'ES256', kid: 'ec' })],
  ])('refuses %s', async (_, forge) => {
    await expect(both().verify(await forge())).rejects.toMatchObject(BAD);
  });

  it('refuses RS256 and EdDSA when there is only a secret', async () => {
    for (const token of [
      await sign(CLAIMS, rsa.privateKey, { alg: 'RS256' }),
      await sign(CLAIMS, ed.privateKey, { alg: 'EdDSA' }),
    ]) {
      await expect(withSecret.verify(token)).rejects.toMatchObject(BAD);
    }
  });

  it('tries several keys for a token that names none', async () => {
    const second = await keyPair('EdDSA');
    const first = await keyPair('EdDSA');
    const stranger = await keyPair('EdDSA');
    const several = verifier({ jwks: keySet(first, second) });
    const by = ({ privateKey }: KeyPair) => sign(CLAIMS, privateKey, { alg: 'EdDSA' });
    await expect(several.verify(await by(second))).resolves.toMatchObject({ kind: 'sandbox' });
    await expect(several.verify(await by(stranger))).rejects.toMatchObject(BAD);
  });
});
