import fc from 'fast-check';
import { envelope, safeName } from '../../test/arbitraries';
import { nested, SAMPLE } from '../../test/sample';
import { MAX_DATA_DEPTH, MAX_TIMESTAMP_MS } from '../limits';
import { cloudEventSchema, fromCloudEvent, toCloudEvent } from './cloud-event';
import { cloudEventSource, parseCloudEventSource } from './source';

const PRODUCED = { specversion: '1.0', id: '1', source: '/build/7', type: 'build.finished' };
const fault = (overrides: Record<string, unknown>) => {
  const { error } = cloudEventSchema.safeParse({ ...PRODUCED, ...overrides });
  return error?.issues[0]?.path[0];
};

describe('toCloudEvent', () => {
  it('maps every member of an envelope', () => {
    const event = {
      ...SAMPLE,
      entityId: 'a/b🐚',
      correlationId: 'c',
      causationId: 'd',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    expect(toCloudEvent(event)).toEqual({
      specversion: '1.0',
      id: SAMPLE.id,
      source: '/sandbox/1/a%2Fb%F0%9F%90%9A',
      type: 'execution.completed',
      subject: 'a/b🐚',
      time: '2023-11-14T22:13:20.000Z',
      datacontenttype: 'application/json',
      workspaceid: '1',
      schemaversion: '1',
      correlationid: 'c',
      causationid: 'd',
      traceparent: event.traceparent,
      data: { exitCode: 0 },
    });
  });

  it('uses attribute names that CloudEvents allows: lower-case letters and digits, at most 20', () => {
    const event = { ...SAMPLE, correlationId: 'c', causationId: 'd', traceparent: 'e' };
    for (const name of Object.keys(toCloudEvent(event))) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
  });

  it('comes back as the same envelope, through structured JSON', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        const structured: unknown = JSON.parse(JSON.stringify(toCloudEvent(event)));
        expect(fromCloudEvent(structured)).toEqual(event);
      }),
    );
  });

  it('comes back from the first and the last instant there is', () => {
    for (const occurredAt of [0, 1, MAX_TIMESTAMP_MS]) {
      const event = { ...SAMPLE, occurredAt };
      expect(fromCloudEvent(toCloudEvent(event))).toEqual(event);
    }
  });

  it('is what a door accepts', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        expect(cloudEventSchema.safeParse(toCloudEvent(event)).success).toBe(true);
      }),
    );
  });
});

describe('fromCloudEvent', () => {
  it.each<[string, Record<string, unknown>]>([
    ['another specification', { specversion: '0.3' }],
    ['a source that is not ours', { source: '/build/7' }],
    ['a workspace out of bounds', { source: '/sandbox/2147483648/a' }],
    ['an id that is not ours', { id: 'order-1' }],
    ['no version', { schemaversion: undefined }],
    ['a version that is no number', { schemaversion: '1e3' }],
    ['version 0', { schemaversion: '0' }],
    ['no time', { time: undefined }],
    ['no data', { data: undefined }],
    ['an entity that is no safe name', { source: '/sandbox/1/a%0D%0Ab' }],
  ])('rejects %s', (_, overrides) => {
    expect(() => fromCloudEvent({ ...toCloudEvent(SAMPLE), ...overrides })).toThrow();
  });
});

describe('cloudEventSchema', () => {
  it.each(['0.3', '1', '1.0.0', '1.1', '2.0', '', 1, null, undefined])('rejects specversion %p', (specversion) => {
    expect(fault({ specversion })).toBe('specversion');
  });

  it.each(['id', 'source', 'type'])('requires %s', (name) => {
    expect(fault({ [name]: undefined })).toBe(name);
    expect(fault({ [name]: null })).toBe(name);
    expect(fault({ [name]: '' })).toBe(name);
    expect(fault({ [name]: 1 })).toBe(name);
  });

  it.each<[string, unknown]>([
    ['id', 'x'.repeat(257)],
    ['source', 'x'.repeat(2049)],
    ['subject', 'x'.repeat(2049)],
    ['type', 'a\r\nb'],
    ['type', 'x'.repeat(257)],
    ['time', 'yesterday'],
    ['time', '2023-11-14'],
    ['time', '2023-11-14T22:13:20'],
    ['time', '2023-13-14T22:13:20Z'],
    ['datacontenttype', 'text/plain'],
    ['datacontenttype', 'application/jsonp'],
    ['data', []],
    ['data', 'text'],
    ['data', null],
    ['data', nested(MAX_DATA_DEPTH + 1)],
    ['data_base64', 'eA=='],
    ['correlationid', 'a b'],
    ['causationid', '\ud800'],
    ['traceparent', 'x'.repeat(65)],
  ])('rejects %s = %j', (name, value) => {
    expect(fault({ [name]: value })).toBe(name);
  });

  it.each<Record<string, unknown>>([
    {},
    { time: '2023-11-14T22:13:20Z' },
    { time: '2023-11-14T22:13:20.123456+02:00' },
    { datacontenttype: 'application/json; charset=utf-8' },
    { datacontenttype: 'application/vnd.build+json' },
    { data: {} },
    { unknownextension: 7 },
    { subject: '' },
  ])('accepts %j', (overrides) => {
    expect(cloudEventSchema.safeParse({ ...PRODUCED, ...overrides }).success).toBe(true);
  });

  it('takes an attribute that is null for one that is absent', () => {
    const unset = {
      subject: null,
      time: null,
      datacontenttype: null,
      traceparent: null,
      data_base64: null,
      other: null,
    };
    expect(cloudEventSchema.parse({ ...PRODUCED, ...unset })).toEqual(PRODUCED);
  });

  it.each([null, undefined, [], 'text', 1])('rejects %p in place of an event', (value) => {
    expect(cloudEventSchema.safeParse(value).success).toBe(false);
  });

  it('is not fooled by own keys such as __proto__', () => {
    const event: unknown = JSON.parse('{"__proto__":{"specversion":"1.0","id":"1","source":"/a","type":"b"},"x":null}');
    expect(cloudEventSchema.safeParse(event).success).toBe(false);
    expect(({} as Record<string, unknown>)['specversion']).toBeUndefined();
  });
});

describe('cloudEventSource', () => {
  it('is read back as the same entity', () => {
    fc.assert(
      fc.property(envelope, ({ family, workspaceId, entityId }) => {
        const origin = { family, workspaceId, entityId };
        expect(cloudEventSource(origin)).toMatch(/^[\x21-\x7e]+$/);
        expect(parseCloudEventSource(cloudEventSource(origin))).toEqual(origin);
      }),
    );
  });

  it('gives two entities two sources', () => {
    fc.assert(
      fc.property(safeName, safeName, (a, b) => {
        const sources = [a, b].map((entityId) => cloudEventSource({ family: 'sandbox', workspaceId: 1, entityId }));
        expect(sources[0] === sources[1]).toBe(a === b);
      }),
    );
  });

  it.each([
    '',
    '/',
    '/sandbox/1/',
    '/sandbox/1',
    '/sandbox/1/a/b',
    '/sandbox/01/a',
    '/sandbox/-1/a',
    '/sandbox/1.5/a',
    '/sandbox/12345678901/a',
    '/unknown/1/a',
    '/constructor/1/a',
    'https://host/sandbox/1/a',
    '/sandbox/1/%',
    '/sandbox/1/%C0%A0',
    '/sandbox/1/%ED%A0%80',
    '/sandbox/1/a\n/b',
  ])('does not take %j for one of ours', (source) => {
    expect(parseCloudEventSource(source)).toBeUndefined();
  });
});
