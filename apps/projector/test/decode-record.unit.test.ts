import {
  defineEventType,
  EventCatalogue,
  eventEnvelopeSchema,
  MAX_DATA_DEPTH,
  MAX_EVENT_BYTES,
  newEventId,
} from '@sluice/event-schema';
import fc from 'fast-check';
import { z } from 'zod';
import { decodeRecord } from '../src/decode-record';
import { envelope, logRecord } from './tools';

const fields = (overrides: object = {}) => ({ ...envelope().event, ...overrides });
const decodeJson = (value: unknown) => decodeRecord(logRecord(JSON.stringify(value)));
const nested = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

describe('decodeRecord', () => {
  it('keeps the text of our own records byte for byte', () => {
    const { event, json } = envelope({ data: { text: 'ü\u0000\ud800🐚', n: 1e21, __proto: [] } });
    expect(decodeRecord(logRecord(json))).toEqual({ kind: 'envelope', envelope: { event, json } });
  });

  it('parks a sealed record that no key opens under its workspace and id', () => {
    const { id, family, entityId } = envelope().event;
    const clear = Buffer.from(JSON.stringify([id, family, entityId, 7, 1]));
    const filler = Buffer.alloc(100);
    const value = Buffer.concat([
      Buffer.from([0x01]),
      filler.subarray(0, 17),
      Buffer.from([clear.length]),
      clear,
      filler,
    ]);
    expect(decodeRecord(logRecord(value))).toMatchObject({
      kind: 'parked',
      parked: { reason: 'not_json', workspaceId: 7, eventId: id, detail: expect.stringContaining('sealed') },
    });
  });

  it('writes anew what another producer formatted, so that it is one line with a known beginning', () => {
    const { event, json } = envelope({ data: { text: 'a' } });
    for (const text of [JSON.stringify(event, null, 2), ` ${json}`, json.replace('{', '{\r\n'), `${json}\n`]) {
      expect(decodeRecord(logRecord(text))).toEqual({ kind: 'envelope', envelope: { event, json } });
    }
  });

  it.each([
    ['nothing', '', 'not_json'],
    ['half a record', '{"id":"x', 'not_json'],
    ['two records', '{}{}', 'not_json'],
    ['a byte order mark', '\ufeff{}', 'not_json'],
    ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'not_json'],
    ['binary', new Uint8Array([0, 1, 2, 3]), 'not_json'],
    ['null', 'null', 'invalid_envelope'],
    ['a list', '[]', 'invalid_envelope'],
    ['text', '"text"', 'invalid_envelope'],
    ['an empty object', '{}', 'invalid_envelope'],
    ['too many bytes', `{"data":"${'x'.repeat(MAX_EVENT_BYTES)}"}`, 'too_large'],
  ])('parks %s', (_name, value, reason) => {
    const decoded = decodeRecord(logRecord(value, 7));
    expect(decoded).toMatchObject({ kind: 'parked', parked: { lane: 0, index: 7, reason } });
    if (decoded.kind === 'parked') expect(decoded.parked.detail).not.toBe('');
  });

  it.each([
    ['an unknown family', { family: 'weather' }],
    ['an id that is no UUID', { id: 'mine' }],
    ['an id in capitals, a second spelling of another', { id: newEventId().toUpperCase() }],
    ['a foreign field', { position: 5 }],
    ['an entity with a line break', { entityId: 'a\nb' }],
    ['a type with a NUL', { type: 'a\u0000' }],
    ['half of a surrogate pair in a name', { entityId: '\ud800' }],
    ['a workspace beyond a 32-bit column', { workspaceId: 2 ** 31 }],
    ['a negative workspace', { workspaceId: -1 }],
    ['a time that is no number', { occurredAt: 'now' }],
    ['a time beyond a 64-bit column', { occurredAt: 1e30 }],
    ['data that is a list', { data: [] }],
    ['no data', { data: undefined }],
    ['version 0', { schemaVersion: 0 }],
    ['a trace that is none', { traceparent: 'x' }],
  ])('parks %s as an invalid envelope, and says which field', (_name, overrides) => {
    const decoded = decodeJson(fields(overrides));
    expect(decoded).toMatchObject({ kind: 'parked', parked: { reason: 'invalid_envelope' } });
    const [field = ''] = Object.keys(overrides);
    if (decoded.kind === 'parked') expect(decoded.parked.detail).toContain(field);
  });

  it.each([
    ['a known type', { type: 'execution.completed', schemaVersion: 2 }],
    ['a free type', { type: 'free.type', schemaVersion: 999 }],
  ])('parks a version of %s that it does not know', (_name, overrides) => {
    const event = fields(overrides);
    expect(decodeJson(event)).toMatchObject({
      kind: 'parked',
      parked: { reason: 'unknown_version', workspaceId: 1, eventId: event.id },
    });
  });

  it('parks data that does not fit the schema of its own version, and says which field', () => {
    const catalogue = new EventCatalogue([
      defineEventType({ family: 'sandbox', type: 'known', description: '' }, z.object({ exit: z.int() })).next(
        z.object({ exitCode: z.int() }),
        ({ exit }) => ({ exitCode: exit }),
      ),
    ]);
    const decode = (overrides: object) => decodeRecord(logRecord(JSON.stringify(fields(overrides))), catalogue);
    for (const [schemaVersion, data, fault] of [
      [1, { exit: 'one' }, 'data.exit'],
      [1, { exitCode: 1 }, 'data.exit'],
      [2, { exit: 1 }, 'data.exitCode'],
    ] as const) {
      expect(decode({ type: 'known', schemaVersion, data })).toMatchObject({
        kind: 'parked',
        parked: { reason: 'invalid_envelope', workspaceId: 1, detail: expect.stringContaining(`${fault}: `) },
      });
    }
    expect(decode({ type: 'known', schemaVersion: 1, data: { exit: 1 } }).kind).toBe('envelope');
    expect(decode({ type: 'known', schemaVersion: 2, data: { exitCode: 1 } }).kind).toBe('envelope');
    expect(decode({ type: 'free', schemaVersion: 1, data: { exit: 'one' } }).kind).toBe('envelope');
  });

  it('parks data that is nested too deep, however deep', () => {
    for (const levels of [MAX_DATA_DEPTH + 1, 40_000]) {
      for (const space of ['', ' ', '\n']) {
        const json = JSON.stringify(fields({ data: 'HERE' })).replace('"HERE"', space + nested(levels));
        expect(decodeRecord(logRecord(json))).toMatchObject({ kind: 'parked', parked: { reason: 'invalid_envelope' } });
      }
    }
    const json = JSON.stringify(fields({ data: 'HERE' })).replace('"HERE"', nested(MAX_DATA_DEPTH));
    expect(decodeRecord(logRecord(json)).kind).toBe('envelope');
  });

  it('keeps of a parked record what it can know for those who look for it', () => {
    const event = fields({ family: 'weather', workspaceId: 7 });
    expect(decodeJson(event)).toMatchObject({ parked: { workspaceId: 7, eventId: event.id } });
    for (const workspaceId of [-1, 2 ** 31, 1.5, '7', null]) {
      const decoded = decodeJson({ ...event, workspaceId, id: 'x'.repeat(65) });
      if (decoded.kind !== 'parked') throw new Error('not parked');
      expect(decoded.parked).not.toHaveProperty('workspaceId');
      expect(decoded.parked).not.toHaveProperty('eventId');
    }
  });

  it('keeps no detail that a text column cannot hold', () => {
    for (const text of ['{"\u0000', `{"${'🐚'.repeat(600)}":`, `${'x'.repeat(9)}\u0000`]) {
      const decoded = decodeRecord(logRecord(text));
      if (decoded.kind !== 'parked') throw new Error('not parked');
      expect(decoded.parked.detail).not.toContain('\0');
      expect(decoded.parked.detail).toBe(Buffer.from(decoded.parked.detail).toString());
      expect(decoded.parked.detail.length).toBeLessThanOrEqual(500);
    }
  });

  it('never throws, and what it lets through is a valid envelope in one line (G7)', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...Object.keys(fields({ traceparent: 'x', correlationId: 'c' }))), fc.jsonValue())
      .map(([key, value]) => JSON.stringify(fields({ [key]: value })));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
      mutated.map((text) => new TextEncoder().encode(text)),
      fc.tuple(mutated, fc.nat(300), fc.nat(255)).map(([text, at, byte]) => {
        const value = new TextEncoder().encode(text);
        value[at % value.length] = byte;
        return value;
      }),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const decoded = decodeRecord(logRecord(value));
        if (decoded.kind === 'parked') {
          expect(decoded.parked.value).toBe(value);
          return;
        }
        expect(decoded.envelope.json).toMatch(/^\{"[^\r\n]*$/);
        expect(eventEnvelopeSchema.safeParse(JSON.parse(decoded.envelope.json)).success).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
