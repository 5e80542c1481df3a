import fc from 'fast-check';
import { envelope } from '../test/arbitraries';
import { SAMPLE } from '../test/sample';
import { eventEnvelopeSchema } from './envelope';
import { MAX_EVENT_BYTES } from './limits';
import {
  decodeRecordedEvent,
  encodeEnvelope,
  recordedEventSchema,
  recordEnvelope,
  type Position,
} from './recorded-event';

const position = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((value) => value as Position);
const recording = fc.record({
  position,
  entitySequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  recordedAt: fc.integer({ min: 0, max: 4_000_000_000_000 }),
});

describe('encodeEnvelope', () => {
  it('writes one line that reads back as the envelope', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        const { json } = encodeEnvelope(event);
        expect(json).not.toMatch(/[\r\n\0]/);
        expect(eventEnvelopeSchema.parse(JSON.parse(json))).toEqual(event);
      }),
    );
  });

  it('gives equal envelopes equal text, however their members are ordered', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        const reversed = Object.fromEntries(Object.entries(event).reverse()) as typeof event;
        expect(encodeEnvelope(reversed).json).toBe(encodeEnvelope(event).json);
      }),
    );
  });

  it('keeps NUL, lone surrogates and own __proto__ keys in data', () => {
    const text = '{"__proto__":{"a":1},"odd":"\\u0000\\ud800","line":"\\r\\n"}';
    const { json } = encodeEnvelope({ ...SAMPLE, data: JSON.parse(text) as Record<string, unknown> });
    expect(json).toContain(`"data":${text}`);
  });

  it('writes no member that is absent, and nothing that is not of an envelope', () => {
    const event = { ...SAMPLE, position: 7, correlationId: undefined };
    expect(Object.keys(JSON.parse(encodeEnvelope(event).json) as object)).toEqual(Object.keys(SAMPLE));
  });

  it('is measured in bytes of UTF-8', () => {
    const { json } = encodeEnvelope({ ...SAMPLE, data: { text: '語'.repeat(MAX_EVENT_BYTES / 3) } });
    expect(json.length).toBeLessThan(MAX_EVENT_BYTES);
    expect(Buffer.byteLength(json)).toBeGreaterThan(MAX_EVENT_BYTES);
  });
});

describe('recordEnvelope', () => {
  it('has one text and one object that say the same, and both satisfy the schema', () => {
    fc.assert(
      fc.property(envelope, recording, (event, place) => {
        const { event: recorded, json } = recordEnvelope(encodeEnvelope(event), place);
        expect(recorded).toEqual({ ...event, ...place });
        expect(decodeRecordedEvent(json)).toEqual({ event: recorded, json });
        expect(recordedEventSchema.parse(JSON.parse(json))).toEqual(recorded);
        expect(json).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it('carries the bytes of the envelope over as they are', () => {
    const odd = { event: SAMPLE, json: `{"data":{"n":1.0},"x":"\\u00e9"}` };
    const place = { position: 3 as Position, entitySequence: 2, recordedAt: 1 };
    expect(recordEnvelope(odd, place).json).toBe(
      '{"position":3,"entitySequence":2,"recordedAt":1,"data":{"n":1.0},"x":"\\u00e9"}',
    );
  });

  it('does not change the envelope', () => {
    const encoded = encodeEnvelope(SAMPLE);
    recordEnvelope(encoded, { position: 1 as Position, entitySequence: 1, recordedAt: 1 });
    expect(encoded).toEqual(encodeEnvelope(SAMPLE));
    expect(encoded.event).toBe(SAMPLE);
  });
});

describe('recordedEventSchema', () => {
  it.each([
    ['position', 0],
    ['position', 1.5],
    ['position', '1'],
    ['entitySequence', 0],
    ['recordedAt', -1],
    ['extra', 1],
  ])('rejects %s = %p', (name, value) => {
    const recorded = { ...SAMPLE, position: 1, entitySequence: 1, recordedAt: 1 };
    expect(recordedEventSchema.safeParse(recorded).success).toBe(true);
    expect(recordedEventSchema.safeParse({ ...recorded, [name]: value }).success).toBe(false);
  });
});
