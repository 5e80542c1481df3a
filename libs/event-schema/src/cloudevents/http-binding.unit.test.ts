import fc from 'fast-check';
import { envelope } from '../../test/arbitraries';
import { SAMPLE } from '../../test/sample';
import { cloudEventSchema, fromCloudEvent } from './cloud-event';
import { cloudEventFromHeaders, cloudEventHeaders, cloudEventMode } from './http-binding';

const HEADERS = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/build/7', 'ce-type': 'build.finished' };

const read = (headers: Record<string, string | string[] | undefined>, data: unknown = {}) =>
  cloudEventSchema.safeParse(cloudEventFromHeaders({ ...HEADERS, ...headers }, data));

describe('binary mode', () => {
  it('brings every envelope back, through headers and a body', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        const headers = cloudEventHeaders(event);
        const body: unknown = JSON.parse(JSON.stringify(event.data));
        expect(fromCloudEvent(cloudEventFromHeaders(headers, body))).toEqual(event);
      }),
    );
  });

  it('writes header values of printable ASCII without blanks and quotes', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        for (const [name, value] of Object.entries(cloudEventHeaders(event))) {
          expect(name).toMatch(/^(?:ce-[a-z0-9]+|content-type)$/);
          expect(value).toMatch(/^[\x21\x23-\x7e]+$/);
          expect(() => new Headers([[name, value]])).not.toThrow();
        }
      }),
    );
  });

  it('encodes as the binding asks: blank, quote, percent and what is not ASCII, as UTF-8 in upper case', () => {
    const headers = cloudEventHeaders({ ...SAMPLE, type: 'a"b%c€🐚!~#', correlationId: "x'(*)" });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-type': 'a%22b%25c%E2%82%AC%F0%9F%90%9A!~#',
      'ce-correlationid': "x'(*)",
      'ce-time': '2023-11-14T22:13:20.000Z',
    });
    expect(headers['ce-data']).toBeUndefined();
  });

  it.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['%e2%82%ac', '€'],
    ['%41%2d', 'A-'],
    ['plain', 'plain'],
    ['"quoted value"', 'quoted value'],
    ['"a \\"b\\" \\\\c"', 'a "b" \\c'],
    ['before"in side"after', 'beforein sideafter'],
    ['"%20"', ' '],
    ['%2541', '%41'],
  ])('decodes %j once', (text, expected) => {
    expect(read({ 'ce-subject': text }).data?.subject).toBe(expected);
  });

  it.each(['%', '100%', '%zz', '%C0%A0', '%ED%A0%80', '%F0%9F', '"open', '"open\\"'])('rejects %j', (text) => {
    for (const name of ['subject', 'type', 'unknownextension']) {
      const { error } = read({ [`ce-${name}`]: text });
      expect(error?.issues).toMatchObject([{ path: [name], message: 'must be percent-encoded UTF-8' }]);
    }
  });

  it('decodes hostile values in time that grows with their length only', () => {
    // At a time that grows with the square of it, this would not end.
    read({ 'ce-subject': '"\\'.repeat(500_000), 'ce-other': '"'.repeat(1_000_001), 'ce-more': '%'.repeat(1_000_000) });
  });

  it('checks what was hidden by the encoding', () => {
    expect(read({ 'ce-type': 'a%0D%0Ab' }).error?.issues[0]?.path).toEqual(['type']);
    expect(read({ 'ce-type': 'a%00b' }).error?.issues[0]?.path).toEqual(['type']);
  });

  it('takes the content type for the type of the data', () => {
    expect(read({ 'content-type': 'application/json; charset=utf-8' }).success).toBe(true);
    expect(read({ 'content-type': 'text/plain' }).error?.issues[0]?.path).toEqual(['datacontenttype']);
    expect(read({ 'ce-datacontenttype': 'text/plain', 'content-type': 'application/json' }).success).toBe(true);
  });

  it('takes the data from the body only, and nothing from headers of other names', () => {
    const attributes = cloudEventFromHeaders(
      { ...HEADERS, 'ce-data': '{"a":1}', 'ce-__proto__': 'x', 'x-id': '2', id: '3', 'ce-list': ['a', 'b'] },
      { b: 2 },
    );
    expect(attributes).toEqual({
      specversion: '1.0',
      id: '1',
      source: '/build/7',
      type: 'build.finished',
      data: { b: 2 },
    });
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
  });

  it.each(['0.3', '1.1', '1.0, 1.0', ''])('rejects specversion %j', (specversion) => {
    expect(read({ 'ce-specversion': specversion }).error?.issues[0]?.path).toEqual(['specversion']);
  });
});

describe('cloudEventMode', () => {
  it.each<[string | undefined, string | undefined, string]>([
    ['application/cloudevents+json', undefined, 'structured'],
    ['Application/CloudEvents+JSON; charset=utf-8', undefined, 'structured'],
    ['application/cloudevents-batch+json', undefined, 'batch'],
    ['application/cloudevents-batch+json', '1.0', 'batch'],
    ['application/json', '1.0', 'binary'],
    ['application/json', '', 'binary'],
    [undefined, '1.0', 'binary'],
    ['application/json', undefined, 'none'],
    [undefined, undefined, 'none'],
    ['', undefined, 'none'],
    ['application/cloudevents+xml', undefined, 'none'],
  ])('of %j with ce-specversion %j is %s', (contentType, specversion, mode) => {
    expect(cloudEventMode(contentType, specversion)).toBe(mode);
  });
});
