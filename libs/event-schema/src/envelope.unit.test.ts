import fc from 'fast-check';
import { envelope, HOSTILE_NAMES, hostileName, safeName } from '../test/arbitraries';
import { nested, SAMPLE } from '../test/sample';
import { entityKey, eventDataSchema, eventEnvelopeSchema, safeNameSchema, type EventEnvelope } from './envelope';
import { EVENT_FAMILIES } from './family';
import { MAX_DATA_DEPTH, MAX_NAME_LENGTH, MAX_TIMESTAMP_MS, MAX_WORKSPACE_ID } from './limits';

const accepts = (value: unknown) => eventEnvelopeSchema.safeParse(value).success;

/** Whether the sample with these members is accepted, and which members a fault is about. */
function faults(overrides: Record<string, unknown>): (string | undefined)[] {
  const { error } = eventEnvelopeSchema.safeParse({ ...SAMPLE, ...overrides });
  return [...new Set(error?.issues.map(({ path }) => path[0]?.toString()))];
}

const NAME_FIELDS = ['entityId', 'type', 'correlationId', 'causationId'] as const;

describe('eventEnvelopeSchema', () => {
  it('accepts a whole envelope of every family and gives back an equal one', () => {
    for (const family of EVENT_FAMILIES) {
      const event = { ...SAMPLE, family };
      expect(eventEnvelopeSchema.parse(event)).toEqual(event);
    }
    fc.assert(fc.property(envelope, (event) => expect(eventEnvelopeSchema.parse(event)).toEqual(event)));
  });

  it.each(Object.keys(SAMPLE))('requires %s', (name) => {
    const members = Object.entries(SAMPLE).filter(([other]) => other !== name);
    expect(accepts(Object.fromEntries(members))).toBe(false);
  });

  it.each([null, undefined, 'text', 1, [], [SAMPLE]])('rejects %p in place of an envelope', (value) => {
    expect(accepts(value)).toBe(false);
  });

  it('rejects members that it does not know, so that no caller can set a position', () => {
    for (const name of ['position', 'entitySequence', 'recordedAt', 'extra', 'constructor', 'toString']) {
      expect(accepts({ ...SAMPLE, [name]: 1 })).toBe(false);
    }
    expect(accepts(JSON.parse(`{"__proto__":{"position":1},${JSON.stringify(SAMPLE).slice(1)}`))).toBe(false);
  });

  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['workspaceId', [0, 1, MAX_WORKSPACE_ID], [-1, MAX_WORKSPACE_ID + 1, 1.5, '1', null, Number.NaN, Infinity, 1e21]],
    ['schemaVersion', [1, 1_000_000], [0, -1, 1_000_001, 1.5, '1', null]],
    ['occurredAt', [0, MAX_TIMESTAMP_MS], [-1, MAX_TIMESTAMP_MS + 1, 0.5, '0', null, Number.NaN]],
    ['family', EVENT_FAMILIES, ['', 'Sandbox', 'sandbox ', '__proto__', 'constructor', 1, null]],
    ['data', [{}, { a: null }], [null, [], [{}], 'text', 1, true, undefined]],
    [
      'traceparent',
      ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ['', '00', '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01', 1],
    ],
  ])('bounds %s', (name, valid, invalid) => {
    for (const value of valid) expect(faults({ [name]: value })).toEqual([]);
    for (const value of invalid) expect(faults({ [name]: value })).toEqual([name]);
  });

  it('takes an id in one spelling only: a lower-case UUID', () => {
    expect(faults({ id: 'a1a1fe01-6240-73e6-8f05-0efe9e01e202' })).toEqual([]);
    for (const id of ['A1A1FE01-6240-73E6-8F05-0EFE9E01E202', '', 'x', '{a1a1fe01-6240-73e6-8f05-0efe9e01e202}', 1]) {
      expect(faults({ id })).toEqual(['id']);
    }
    expect(faults({ id: 'a1a1fe01-6240-73e6-8f05-0efe9e01e202\n' })).toEqual(['id']);
  });

  it.each(NAME_FIELDS)('rejects white space, control characters and lone surrogates in %s', (name) => {
    for (const value of HOSTILE_NAMES) expect(faults({ [name]: value })).toEqual([name]);
    for (const value of [1, null, {}, ['a']]) expect(faults({ [name]: value })).toEqual([name]);
  });

  it.each(NAME_FIELDS)('counts the length of %s in characters, not in UTF-16 units', (name) => {
    for (const character of ['x', '語', '🐚']) {
      expect(faults({ [name]: character.repeat(MAX_NAME_LENGTH) })).toEqual([]);
      expect(faults({ [name]: character.repeat(MAX_NAME_LENGTH + 1) })).toEqual([name]);
    }
  });

  it('takes names that are properties of every object for what they are', () => {
    for (const value of ['__proto__', 'constructor', 'hasOwnProperty']) {
      expect(faults({ entityId: value, type: value })).toEqual([]);
    }
  });
});

describe('safeNameSchema', () => {
  it('accepts a name exactly when no character of it could end a frame', () => {
    fc.assert(
      fc.property(fc.oneof(hostileName, safeName), (name) => {
        const characters = [...name];
        const printable = characters.every((character) => !/^[\s\p{C}]$/u.test(character));
        const expected = printable && characters.length >= 1 && characters.length <= MAX_NAME_LENGTH;
        expect(safeNameSchema.safeParse(name).success).toBe(expected);
      }),
    );
  });
});

describe('eventDataSchema', () => {
  it('keeps the object as it is, own keys such as __proto__ included', () => {
    const data: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"text":"\\u0000\\ud800"}');
    const parsed = eventDataSchema.parse(data);
    expect(parsed).toBe(data);
    expect(JSON.stringify(parsed)).toBe('{"__proto__":{"admin":true},"constructor":1,"text":"\\u0000\\ud800"}');
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('bounds how deep objects and arrays are nested', () => {
    expect(eventDataSchema.safeParse(nested(MAX_DATA_DEPTH)).success).toBe(true);
    expect(eventDataSchema.safeParse(nested(MAX_DATA_DEPTH + 1)).success).toBe(false);
    expect(() => JSON.stringify(nested(MAX_DATA_DEPTH))).not.toThrow();
  });

  it('survives what parses but is too deep to be encoded', () => {
    const levels = 60_000;
    const data = JSON.parse(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`) as Record<string, unknown>;
    const { error } = eventDataSchema.safeParse(data);
    expect(error?.issues.map(({ message }) => message)).toEqual(['must have at most 100 levels of objects and arrays']);
  });

  it('says one thing about what is no object', () => {
    expect(eventDataSchema.safeParse([]).error?.issues).toHaveLength(1);
  });
});

describe('entityKey', () => {
  it('is the same for one entity and different for two, whatever their names', () => {
    const entity = fc.record({ family: fc.constantFrom(...EVENT_FAMILIES), entityId: safeName });
    fc.assert(
      fc.property(entity, entity, (a, b) => {
        const same = a.family === b.family && a.entityId === b.entityId;
        expect(entityKey(a) === entityKey(b)).toBe(same);
      }),
    );
    const tricky: Pick<EventEnvelope, 'family' | 'entityId'> = { family: 'sandbox', entityId: 'session/1' };
    expect(entityKey(tricky)).toBe('sandbox/session/1');
  });
});
