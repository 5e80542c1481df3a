import fc from 'fast-check';
import type { EventEnvelope } from '../src/envelope';
import { EVENT_FAMILIES } from '../src/family';
import { MAX_NAME_LENGTH, MAX_TIMESTAMP_MS, MAX_WORKSPACE_ID } from '../src/limits';

/** Names that the envelope accepts: printable characters of every plane, without white space. */
export const safeName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((text) => [...text.replace(/[\s\p{C}]/gu, '')].slice(0, MAX_NAME_LENGTH).join(''))
  .filter((text) => text.length > 0);

/** What an attacker or a broken producer puts in a name, beside any text at all. */
export const HOSTILE_NAMES = [
  '',
  ' ',
  'a b',
  'a\r\nb',
  'a\nb',
  'a\rb',
  'a\u0000b',
  'a\tb',
  'a\u007fb',
  'a\u0085b',
  'a\u2028b',
  'a\u2029b',
  'a\u00a0b',
  'a\u200bb',
  'a\u202eb',
  'a\ufeffb',
  'a\ud800b',
  '\udc00',
  'a\ue000',
  'x'.repeat(MAX_NAME_LENGTH + 1),
  '🐚'.repeat(MAX_NAME_LENGTH + 1),
] as const;

export const hostileName = fc.oneof(
  fc.constantFrom(...HOSTILE_NAMES),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '../..', '*', '>', 'a.b', 'a/b', '$SYS', '%00', '漢字', '🐚'),
);

/** A JSON object as a door parses it, with keys such as `__proto__` as own properties. */
export const jsonObject = fc
  .dictionary(
    fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'position')),
    fc.jsonValue({ maxDepth: 4 }),
    {
      noNullPrototype: true,
    },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

export const traceparent = fc.tuple(hex(2), hex(32), hex(16), hex(2)).map((parts) => parts.join('-'));

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Envelopes that the schema accepts; an optional field that is not set is absent. */
export const envelope: fc.Arbitrary<EventEnvelope> = fc
  .record({
    id: fc.uuid(),
    family: fc.constantFrom(...EVENT_FAMILIES),
    entityId: safeName,
    workspaceId: fc.integer({ min: 0, max: MAX_WORKSPACE_ID }),
    type: safeName,
    schemaVersion: fc.integer({ min: 1, max: 1_000_000 }),
    occurredAt: fc.integer({ min: 0, max: MAX_TIMESTAMP_MS }),
    data: jsonObject,
    correlationId: optional(safeName),
    causationId: optional(safeName),
    traceparent: optional(traceparent),
  })
  .map((event) => JSON.parse(JSON.stringify(event)) as EventEnvelope);

/** Any JSON value in the place of any member of an envelope, members too many and members missing. */
export const nearlyEnvelope: fc.Arbitrary<unknown> = envelope.chain((event) =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(event), 'position', 'extra', '__proto__', 'constructor'),
      fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        hostileName,
        fc.constantFrom(-1, 0, 0.5, 1e21, MAX_WORKSPACE_ID + 1, MAX_TIMESTAMP_MS + 1, Number.MAX_SAFE_INTEGER),
        fc.constant(undefined),
      ),
    )
    .map(([name, value]) => {
      const members = Object.entries(event).filter(([other]) => other !== name);
      // A missing member when the value is undefined.
      return Object.fromEntries(value === undefined ? members : [...members, [name, value]]);
    }),
);
