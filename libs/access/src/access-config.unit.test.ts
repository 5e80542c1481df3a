import { accessConfigSchema } from './access-config';
import { newApiKeyText } from './api-keys/api-key-text';
import { keyPair, keySet, SECRET } from './testing/token-tools';

const accepts = (value: unknown) => accessConfigSchema.safeParse(value).success;

describe('accessConfigSchema', () => {
  it('fills in everything', () => {
    expect(accessConfigSchema.parse({})).toMatchObject({
      tokens: { secrets: [] },
      operatorKeys: [],
      apiKeyCache: { ttlMs: 5_000 },
      limits: { apiKey: { connections: 5_000 } },
    });
  });

  it.each([
    ['32 bytes', [{ secret: 'x'.repeat(32) }], true],
    ['31 bytes', [{ secret: 'x'.repeat(31) }], false],
    ['bytes count, not characters', [{ secret: 'é'.repeat(16) }], true],
    [
      'two with a kid each',
      [
        { kid: 'a', secret: SECRET },
        { kid: 'b', secret: SECRET },
      ],
      true,
    ],
    ['two, one without kid', [{ kid: 'a', secret: SECRET }, { secret: SECRET }], false],
    [
      'two of the same kid',
      [
        { kid: 'a', secret: SECRET },
        { kid: 'a', secret: SECRET },
      ],
      false,
    ],
    ['too many', Array.from({ length: 9 }, (_, n) => ({ kid: `${n}`, secret: SECRET })), false],
  ])('secrets: %s', (_, secrets, accepted) => {
    expect(accepts({ tokens: { secrets } })).toBe(accepted);
  });

  it('takes public keys only', async () => {
    const pair = await keyPair('EdDSA', 'a');
    expect(accepts({ tokens: { jwks: keySet(pair) } })).toBe(true);
    const [jwk] = keySet(pair).keys;
    expect(accepts({ tokens: { jwks: { keys: [{ ...jwk, d: 'private' }] } } })).toBe(false);
    expect(accepts({ tokens: { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } } })).toBe(false);
  });

  it.each([
    ['https://issuer.test/jwks.json', true],
    ['http://127.0.0.1:1/jwks.json', true],
    ['file:///etc/passwd', false],
    ['jwks.json', false],
  ])('a key set at %s: %j', (url, accepted) => {
    expect(accepts({ tokens: { jwks: { url } } })).toBe(accepted);
  });

  it.each([
    [{ name: 'a', apiKey: newApiKeyText() }, true],
    [{ name: 'a', hash: 'ab'.repeat(32) }, true],
    [{ name: 'a', hash: 'AB'.repeat(32) }, false],
    [{ name: 'a', apiKey: 'admin' }, false],
    [{ name: 'a' }, false],
    [{ name: 'a', hash: 'ab'.repeat(32), apiKey: newApiKeyText() }, false],
  ])('operator key %#', (key, accepted) => {
    expect(accepts({ operatorKeys: [key] })).toBe(accepted);
  });

  it('refuses unknown settings', () => {
    expect(accepts({ token: {} })).toBe(false);
  });
});
