import fc from 'fast-check';
import { block, CHAIN_ID, HASH, hash32, OTHER, OWNER, registration, type Said } from '../../test/samples';
import { WatchedChain } from '../../test/watched-chain';
import { parseRegistrationFile } from '..';

const MAX_BYTES = 64 * 1024;
const HALF = String.fromCharCode(0xd800);

/** Texts as bad as they come: endless, of bytes that JSON makes longer, of characters that are none. */
const text = fc.oneof(
  fc.constantFrom('', ' ', '\u0000', HALF, `a${HALF}`, '__proto__', 'constructor', 'reachable', '\u2028'),
  fc
    .tuple(
      fc.constantFrom('a', '\u0000', '\u0001', '"', '\\', HALF, 'é', '€', '\u{1f41a}', '\n'),
      fc.integer({ min: 0, max: 20_000 }),
    )
    .map(([unit, times]) => unit.repeat(times)),
  fc.string({ unit: 'binary', maxLength: 50 }),
);
const uri = fc.oneof(
  text,
  text.map((name) => `data:application/json,${JSON.stringify({ name, description: name, image: name })}`),
  fc.array(text, { maxLength: 30 }).map((texts) => `data:application/json,${JSON.stringify(hostileFile(texts))}`),
);
const tokenId = fc.constantFrom('0', '1', ((1n << 256n) - 1n).toString());
const anyToken = fc.oneof(tokenId, fc.constantFrom('', '-1', '01', '1e3', '9'.repeat(79), '5'));
const index = fc.constantFrom('0', '1', ((1n << 64n) - 1n).toString(), '', '-1', '1'.repeat(40));
const value = fc.constantFrom(
  ...['0', '-0', '1', '100', (1n << 127n).toString(), (-(1n << 127n)).toString(), 'NaN', '', '1e9', '9'.repeat(90)],
);
const hex = fc.oneof(
  fc.constantFrom('0x', OWNER, `0x${'00'.repeat(20)}`, '0x0', 'none'),
  fc.integer({ min: 0, max: 20_000 }).map((bytes) => `0x${'ff'.repeat(bytes)}`),
);
const address = fc.constantFrom(OWNER, OTHER, `0x${'00'.repeat(20)}`);
const small = fc.constantFrom(0, 1, 5, 18, 255, 256, -1, 1.5, Number.NaN);

const said: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ kind: fc.constant('registered' as const), tokenId: anyToken, owner: address, uri }),
  fc.record({ kind: fc.constant('transfer' as const), tokenId: anyToken, from: address, to: address }),
  fc.record({ kind: fc.constant('uri_updated' as const), tokenId: anyToken, uri, updatedBy: address }),
  fc.record({
    kind: fc.constant('metadata_set' as const),
    tokenId: anyToken,
    metadataKey: fc.oneof(text, fc.constant('agentWallet')),
    value: hex,
  }),
  fc.record({
    kind: fc.constant('feedback_given' as const),
    tokenId: anyToken,
    client: address,
    feedbackIndex: fc.oneof(fc.constant(undefined), index) as fc.Arbitrary<string>,
    value,
    valueDecimals: small,
    tag1: text,
    tag2: text,
    endpoint: text,
    feedbackUri: text,
    feedbackHash: fc.constant(HASH),
  }),
  fc.record({
    kind: fc.constant('feedback_revoked' as const),
    tokenId: anyToken,
    client: address,
    feedbackIndex: index,
  }),
  fc.record({
    kind: fc.constant('response_appended' as const),
    tokenId: anyToken,
    client: address,
    feedbackIndex: index,
    responder: address,
    responseUri: text,
    responseHash: fc.constant(HASH),
  }),
  fc.record({
    kind: fc.constant('validation_responded' as const),
    tokenId: anyToken,
    validator: address,
    requestHash: fc.constant(HASH),
    response: small,
    responseUri: text,
    responseHash: fc.constant(HASH),
    tag: text,
  }),
  fc.record({
    kind: fc.constant('attested' as const),
    uid: fc.constantFrom(hash32(1), hash32(2)),
    attester: address,
    attestation: fc.record({
      agentId: fc.oneof(
        tokenId.map((id) => `${CHAIN_ID}:${id}`),
        text,
      ),
      score: small,
      tags: fc.array(text, { maxLength: 80 }),
      context: text,
    }),
  }),
  fc.record({
    kind: fc.constant('attestation_revoked' as const),
    uid: fc.constantFrom(hash32(1), hash32(2)),
    attester: address,
  }),
);

function hostileFile(texts: readonly string[]): unknown {
  return {
    name: texts[0] ?? '',
    description: texts.join(''),
    image: texts[1],
    services: texts.flatMap((one) => [
      { name: one, endpoint: one, version: one },
      { name: 'MCP', endpoint: one },
      { name: 'OASF', skills: texts, domains: texts },
    ]),
    supportedTrust: texts,
  };
}

function hasNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\u0000');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => key.includes('\u0000') || hasNul(member));
}

describe('hostile facts', () => {
  it('make events of their schemas only, of less than 64 KiB, and can be undone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(said, { maxLength: 6 }), { maxLength: 4 }), async (transactions) => {
        const chain = new WatchedChain({ classifierAvailable: true });
        await chain.apply([block(1, [registration('0'), registration('1'), registration('5')])]);
        const before = await chain.documents();
        await chain.apply([block(2, transactions)]);
        await chain.revert(1);
        expect(await chain.documents()).toEqual(before);
        for (const event of chain.events) {
          const json = JSON.stringify(event);
          expect(Buffer.byteLength(json)).toBeLessThan(MAX_BYTES);
          expect(hasNul(event)).toBe(false);
        }
        expect(new Set(chain.events.map(({ id }) => id)).size).toBe(chain.events.length);
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  it('of the largest size at once make one event below 64 KiB', async () => {
    const chain = new WatchedChain();
    const wide = '\u{1f41a}'.repeat(2000);
    const file = hostileFile(Array.from({ length: 5 }, (_, n) => `${n}${wide}`));
    const metadata = Array.from({ length: 80 }, (_, n): Said => ({
      kind: 'metadata_set',
      tokenId: '1',
      metadataKey: `${n}${'\u{1f41a}'.repeat(40)}`,
      value: `0x${'ff'.repeat(1000)}`,
    }));
    const uriOf = (comment: string) => `data:application/json,${comment}${JSON.stringify(file)}`;
    await chain.apply([block(1, [[...registration('1', uriOf('')), ...metadata]])]);
    await chain.apply([
      block(2, [[...metadata, { kind: 'uri_updated', tokenId: '1', uri: uriOf(' '), updatedBy: OWNER }]]),
    ]);
    await chain.revert(0);
    expect(chain.events).toHaveLength(4);
    const sizes = chain.events.map((event) => Buffer.byteLength(JSON.stringify(event)));
    expect(Math.max(...sizes)).toBeLessThan(MAX_BYTES);
    expect(Math.max(...sizes)).toBeGreaterThan(MAX_BYTES / 2);
  });

  it('are refused or cut where they are far too large or too deep', () => {
    const nested = new TextEncoder().encode('['.repeat(8_000_000));
    expect(parseRegistrationFile(nested)).toEqual({ error: expect.objectContaining({ code: 'too_deep' }) });
    expect(parseRegistrationFile(new Uint8Array(100_000_000))).toEqual({
      error: expect.objectContaining({ code: 'too_large' }),
    });
    const long = JSON.stringify({
      name: 'x'.repeat(8_000_000),
      services: Array(100_000).fill({ name: 'MCP', endpoint: '' }),
    });
    expect(parseRegistrationFile(new TextEncoder().encode(long))).toEqual({
      file: expect.objectContaining({ name: `${'x'.repeat(499)}…` }),
    });
  });
});
