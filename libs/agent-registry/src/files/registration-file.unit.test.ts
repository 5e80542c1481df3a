import { registrationFileSummarySchema } from '@sluice/event-schema';
import fc from 'fast-check';
import { changedFields } from './changed-fields';
import { inlineFile, isMutableUri } from './file-uri';
import { parseRegistrationFile } from './parse-registration-file';
import type { RegistrationFile } from './registration-file';
import { MAX_FILE_SUMMARY_BYTES, MAX_INLINE_FILE_BYTES } from './registration-file-limits';

const parse = (file: unknown) => parseRegistrationFile(new TextEncoder().encode(JSON.stringify(file)));
const fileOf = (file: unknown): RegistrationFile => {
  const parsed = parse(file);
  if ('error' in parsed) throw new Error(parsed.error.message);
  return parsed.file;
};
const EMPTY = { name: '', services: [], supportedTrust: [], declaredSkills: [], declaredDomains: [] };

describe('parseRegistrationFile', () => {
  it('reads a file as it is written today', () => {
    expect(
      fileOf({
        type: 'https://eips.ethereum.org/EIPS/eip-8004#registration-v1',
        name: ' Ada ',
        description: 'Counts',
        image: 'https://ada.example.org/i.png',
        active: true,
        x402Support: false,
        services: [
          { name: 'MCP', endpoint: 'https://ada.example.org/mcp', version: '2025-06-18' },
          { name: 'a2a', endpoint: ' https://ada.example.org/card.json ' },
          { name: 'mcp', endpoint: 'https://second.example.org' },
          {
            name: 'OASF',
            endpoint: '',
            version: '0.8',
            skills: ['audio/speech', 'audio/speech'],
            domains: [{ slug: 'legal' }],
          },
        ],
        supportedTrust: ['reputation', 'tee'],
        updatedAt: 1_700_000_000,
      }),
    ).toEqual({
      name: 'Ada',
      description: 'Counts',
      image: 'https://ada.example.org/i.png',
      active: true,
      x402Support: false,
      services: [
        { name: 'MCP', endpoint: 'https://ada.example.org/mcp', version: '2025-06-18' },
        { name: 'a2a', endpoint: 'https://ada.example.org/card.json' },
        { name: 'mcp', endpoint: 'https://second.example.org' },
        { name: 'OASF', endpoint: '', version: '0.8' },
      ],
      mcpEndpoint: 'https://ada.example.org/mcp',
      a2aEndpoint: 'https://ada.example.org/card.json',
      supportedTrust: ['reputation', 'tee'],
      declaredSkills: ['audio/speech'],
      declaredDomains: ['legal'],
      updatedAt: 1_700_000_000,
    });
  });

  it('reads earlier forms', () => {
    expect(
      fileOf({
        services: [],
        endpoints: [
          { type: 'MCP', value: 'https://m.example.org', meta: { version: '1' } },
          { type: 'OASF', value: '', meta: { skills: ['audio'] } },
        ],
        x402support: { enabled: true },
        supportedTrusts: ['reputation'],
      }),
    ).toMatchObject({
      mcpEndpoint: 'https://m.example.org',
      x402Support: true,
      supportedTrust: ['reputation'],
      declaredSkills: ['audio'],
    });
  });

  it('prefers services to endpoints', () => {
    const file = {
      services: [{ name: 'MCP', endpoint: 'https://a' }],
      endpoints: [{ name: 'MCP', endpoint: 'https://b' }],
    };
    expect(fileOf(file).mcpEndpoint).toBe('https://a');
  });

  it('leaves out what is of the wrong type', () => {
    const services = [null, 7, 'x', [], {}, { name: 5 }, { name: 'MCP', endpoint: 5 }, { name: 'MCP', endpoint: '' }];
    const wrong = {
      active: 'yes',
      x402Support: 'no',
      image: 5,
      supportedTrust: 'all',
      updatedAt: '2024',
      registrations: 5,
    };
    expect(fileOf({ name: null, services, ...wrong })).toEqual({
      ...EMPTY,
      services: [
        { name: 'MCP', endpoint: '' },
        { name: 'MCP', endpoint: '' },
      ],
    });
  });

  it('takes no part of an endpoint for the endpoint', () => {
    expect(
      fileOf({ services: [{ name: 'MCP', endpoint: `https://x/${'y'.repeat(3000)}` }] }).mcpEndpoint,
    ).toBeUndefined();
    expect(fileOf({ services: [{ name: 'MCP', endpoint: 'https://x/\u0000' }] }).mcpEndpoint).toBeUndefined();
  });

  it.each([
    ['', 'not_json'],
    ['{', 'not_json'],
    ['<html>', 'not_json'],
    ['[]', 'not_an_object'],
    ['null', 'not_an_object'],
    ['"text"', 'not_an_object'],
    ['{"name":5}', 'invalid_file'],
    ['{"description":[]}', 'invalid_file'],
    ['{"services":{}}', 'invalid_file'],
    ['{"endpoints":"none"}', 'invalid_file'],
    [`${'['.repeat(65)}`, 'too_deep'],
    [`{"a":${'{"a":'.repeat(64)}1${'}'.repeat(65)}`, 'too_deep'],
  ])('tells what is wrong with %s', (text, code) => {
    expect(parseRegistrationFile(new TextEncoder().encode(text))).toEqual({
      error: { code, message: expect.any(String) },
    });
  });

  it('counts no brackets in strings', () => {
    expect(fileOf({ name: `\\"${'['.repeat(100)}` }).name).toContain('[[[');
  });

  it('reads a byte order mark, and bytes that are no UTF-8', () => {
    const bytes = new Uint8Array([0xef, 0xbb, 0xbf, ...new TextEncoder().encode('{"name":"'), 0xff, 0x22, 0x7d]);
    expect(parseRegistrationFile(bytes)).toEqual({ file: { ...EMPTY, name: '\ufffd' } });
  });

  it('gives what events can carry, or an error, for any JSON', () => {
    const service = fc.record(
      {
        name: fc.oneof(fc.constantFrom('MCP', 'a2a', 'OASF'), fc.string({ unit: 'binary' })),
        endpoint: fc.anything(),
        skills: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const file = fc.record(
      {
        name: fc.string({ unit: 'binary', maxLength: 2000 }),
        services: fc.array(fc.oneof(service, fc.jsonValue()), { maxLength: 100 }),
        supportedTrust: fc.jsonValue(),
        image: fc.jsonValue(),
        active: fc.jsonValue(),
        updatedAt: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), file), (any) => {
        const parsed = parse(any);
        if ('error' in parsed) return;
        expect(registrationFileSummarySchema.safeParse(parsed.file).error).toBeUndefined();
        expect(Buffer.byteLength(JSON.stringify(parsed.file))).toBeLessThanOrEqual(MAX_FILE_SUMMARY_BYTES);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('changedFields', () => {
  const full = {
    name: 'Ada',
    description: 'Counts',
    image: 'https://i',
    active: true,
    x402Support: true,
    services: [
      { name: 'MCP', endpoint: 'https://m' },
      { name: 'A2A', endpoint: 'https://a' },
      { name: 'web', endpoint: 'https://w' },
      { name: 'OASF', skills: ['audio'], domains: ['legal'] },
    ],
    supportedTrust: ['tee'],
  };

  it('names all that a first file says', () => {
    expect(changedFields(undefined, fileOf(full))).toEqual([
      ...['name', 'description', 'image', 'active', 'x402Support', 'mcpEndpoint', 'a2aEndpoint', 'services'],
      ...['supportedTrust', 'skills', 'domains'],
    ]);
    expect(changedFields(undefined, fileOf({}))).toEqual([]);
  });

  it.each([
    [{ name: 'Bob' }, ['name']],
    [{ description: undefined }, ['description']],
    [{ active: false }, ['active']],
    [{ services: [{ name: 'MCP', endpoint: 'https://new' }, ...full.services.slice(1)] }, ['mcpEndpoint']],
    [{ services: full.services.filter(({ name }) => name !== 'A2A') }, ['a2aEndpoint']],
    [{ services: [...full.services, { name: 'ENS', endpoint: 'ada.eth' }] }, ['services']],
    [{ services: [{ name: 'MCP', endpoint: 'https://m', version: '2' }, ...full.services.slice(1)] }, ['services']],
    [
      { services: [...full.services.slice(0, 3), { name: 'OASF', skills: ['audio', 'x'], domains: [] }] },
      ['skills', 'domains'],
    ],
    [{ supportedTrust: [] }, ['supportedTrust']],
    [{ updatedAt: 5, registrations: [] }, []],
  ])('names of %j what changed: %j', (change, fields) => {
    expect(changedFields(fileOf(full), fileOf({ ...full, ...change }))).toEqual(fields);
  });
});

describe('inlineFile', () => {
  const json = '{"name":"Ä 100%"}';
  const textOf = (uri: string) => {
    const inline = inlineFile(uri);
    return inline !== undefined && 'bytes' in inline ? new TextDecoder().decode(inline.bytes) : inline;
  };
  const base64 = Buffer.from(json).toString('base64');

  it.each([
    `data:application/json;base64,${base64}`,
    ` DATA:application/json;charset=utf-8;BASE64,${base64.replace(/=+$/, '')}`,
    `data:;base64,${encodeURIComponent(base64)}`,
    `data:application/json,${encodeURIComponent(json)}`,
    `data:application/json;utf8,${json}`,
  ])('reads %s', (uri) => {
    expect(textOf(uri)).toBe(json);
  });

  it.each([
    ['data:application/json', 'unsupported_uri'],
    ['data:application/json;base64,###', 'unsupported_uri'],
    ['data:application/json;enc=gzip;base64,H4sIAAAA', 'unsupported_uri'],
    [`data:,${'x'.repeat(MAX_INLINE_FILE_BYTES + 1)}`, 'too_large'],
    [`data:;base64,${'x'.repeat(MAX_INLINE_FILE_BYTES * 4)}`, 'too_large'],
  ])('tells what is wrong with %.60s', (uri, code) => {
    expect(inlineFile(uri)).toEqual({ error: { code, message: expect.any(String) } });
  });

  it.each(['', 'https://x', 'ipfs://x', 'QmX', 'x data:,'])('is none of %j', (uri) => {
    expect(inlineFile(uri)).toBeUndefined();
  });
});

describe('isMutableUri', () => {
  it('is so of http and https alone', () => {
    const uris = ['http://x', ' HTTPS://x', 'ipfs://x', 'data:,', 'QmX', 'httpx:'];
    expect(uris.map(isMutableUri)).toEqual([true, true, false, false, false, false]);
  });
});
