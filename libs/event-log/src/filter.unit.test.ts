import { EVENT_FAMILIES, recordEnvelope, type RecordedEvent } from '@sluice/event-schema';
import fc from 'fast-check';
import { sandboxEnvelope } from './conformance/tools';
import { compileFilter, isSelective, matchesNothing, prefixesByLength, splitTypes, type EventFilter } from './filter';
import { toPosition } from './position';

const TYPES = [
  'execution.started',
  'execution',
  'executions',
  'execution.',
  'file.read',
  'a.b.c',
  'a.b',
  '__proto__',
  '.*',
  'x.*',
];
const ENTITIES = ['sandbox-1', 'sandbox-2', 'constructor', '*', '1:7', '11:7', '🐚🐚'];
const PREFIXES = [
  'sandbox',
  'sandbox-',
  'sandbox-1',
  'sandbox-11',
  '1:',
  '11:',
  '',
  '%',
  '_',
  '*',
  '🐚',
  'constructor',
];

function recorded(overrides: Partial<RecordedEvent>): RecordedEvent {
  const place = { position: toPosition(1), entitySequence: 1, recordedAt: 1 };
  return recordEnvelope(sandboxEnvelope(overrides), place).event;
}

const event = fc
  .record({
    workspaceId: fc.integer({ min: 0, max: 3 }),
    family: fc.constantFrom(...EVENT_FAMILIES),
    entityId: fc.constantFrom(...ENTITIES),
    type: fc.constantFrom(...TYPES),
  })
  .map(recorded);

const some = <T>(values: readonly T[]) => fc.option(fc.subarray([...values]), { nil: undefined });
const patterns = [...TYPES, 'execution.*', 'a.*', 'a.b.*', 'a.b.c.*', 'file.*', '*', 'execution*', '%.*', '_.*'];

const filter: fc.Arbitrary<EventFilter> = fc
  .record({
    workspaceIds: fc.subarray([0, 1, 2, 3]),
    families: some(EVENT_FAMILIES),
    entityIds: some(ENTITIES),
    entityIdPrefixes: some(PREFIXES),
    types: some(patterns),
  })
  .map((fields) => JSON.parse(JSON.stringify(fields)) as EventFilter);

/** What the words of EventFilter say, without any thought of speed. */
function matchesByTheWords(wanted: EventFilter, it: RecordedEvent): boolean {
  const { workspaceIds, families, entityIds, entityIdPrefixes, types } = wanted;
  const isOneOf = (value: string, values: readonly string[] | undefined) =>
    !values || values.some((one) => one === value);
  const matchesType = (pattern: string) =>
    pattern.slice(-2) === '.*' ? it.type.slice(0, pattern.length - 1) === pattern.slice(0, -1) : it.type === pattern;
  return (
    workspaceIds.some((workspaceId) => workspaceId === it.workspaceId) &&
    (it.workspaceId !== 0 || it.family === 'registry' || workspaceIds.every((workspaceId) => workspaceId === 0)) &&
    isOneOf(it.family, families) &&
    isOneOf(it.entityId, entityIds) &&
    (!entityIdPrefixes || entityIdPrefixes.some((prefix) => it.entityId.indexOf(prefix) === 0)) &&
    (!types || types.some(matchesType))
  );
}

describe('compileFilter', () => {
  it('says of every event what the words of the filter say', () => {
    let matched = 0;
    fc.assert(
      fc.property(filter, fc.array(event, { minLength: 1, maxLength: 10 }), (wanted, events) => {
        const matches = compileFilter(wanted);
        for (const one of events) {
          if (matches(one)) matched++;
          expect(matches(one)).toBe(matchesByTheWords(wanted, one));
        }
      }),
      { numRuns: 1000 },
    );
    expect(matched).toBeGreaterThan(100);
  });

  it('never lets an event of a workspace through that was not named (G8)', () => {
    fc.assert(
      fc.property(filter, event, (wanted, one) => {
        const workspaceIds = wanted.workspaceIds.filter((workspaceId) => workspaceId !== one.workspaceId);
        expect(compileFilter({ ...wanted, workspaceIds })(one)).toBe(false);
      }),
    );
    expect(compileFilter({ workspaceIds: [] })(recorded({}))).toBe(false);
  });

  it('lets nothing through for an empty list, and anything for an absent one', () => {
    const one = recorded({ workspaceId: 1 });
    expect(compileFilter({ workspaceIds: [1] })(one)).toBe(true);
    for (const field of ['families', 'entityIds', 'entityIdPrefixes', 'types'] as const) {
      expect(compileFilter({ workspaceIds: [1], [field]: [] })(one)).toBe(false);
    }
  });

  it.each<[string, string, boolean]>([
    ['execution.*', 'execution.started', true],
    ['execution.*', 'execution.', true],
    ['execution.*', 'execution', false],
    ['execution.*', 'executions', false],
    ['a.*', 'a.b.c', true],
    ['a.b.*', 'a.b', false],
    ['*', 'a', false],
    ['a*', 'ab', false],
    ['A.*', 'a.b', false],
    ['custom.event', 'custom.event', true],
    ['custom.event', 'custom.event2', false],
  ])('type %s on %s: %p', (pattern, type, expected) => {
    expect(compileFilter({ workspaceIds: [1], types: [pattern] })(recorded({ workspaceId: 1, type }))).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['1:', '1:7', true],
    ['1:', '11:7', false],
    ['1:', '1', false],
    ['11155111:', '11155111:1234', true],
    ['1%', '11:7', false],
    ['1_', '11:7', false],
    ['sandbox-', 'SANDBOX-1', false],
    ['', 'anything', true],
    ['same', 'same', true],
    ['longer', 'long', false],
  ])('entity prefix %j on %s: %p', (prefix, entityId, expected) => {
    const matches = compileFilter({ workspaceIds: [1], entityIdPrefixes: ['no such', prefix] });
    expect(matches(recorded({ workspaceId: 1, entityId }))).toBe(expected);
  });

  it('takes a thousand values', () => {
    const many = Array.from({ length: 1000 }, (_, n) => `sandbox-${n}`);
    const matches = compileFilter({ workspaceIds: [1], entityIds: many, types: many });
    expect(matches(recorded({ workspaceId: 1, entityId: 'sandbox-999', type: 'sandbox-0' }))).toBe(true);
    expect(matches(recorded({ workspaceId: 1, entityId: 'sandbox-1000', type: 'sandbox-0' }))).toBe(false);
  });
});

describe('matchesNothing', () => {
  it('is true only of filters that let no event through', () => {
    let empty = 0;
    fc.assert(
      fc.property(filter, fc.array(event, { minLength: 1, maxLength: 10 }), (wanted, events) => {
        if (!matchesNothing(wanted)) return;
        empty++;
        expect(events.some((one) => matchesByTheWords(wanted, one))).toBe(false);
      }),
    );
    expect(empty).toBeGreaterThan(10);
    expect(matchesNothing({ workspaceIds: [1], types: [] })).toBe(true);
    expect(matchesNothing({ workspaceIds: [1], types: ['a'] })).toBe(false);
  });
});

describe('prefixesByLength', () => {
  it('loses no prefix and puts each to those of its length', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...PREFIXES), fc.string())), (prefixes) => {
        const byLength = prefixesByLength(prefixes, ({ length }) => length);
        expect([...byLength.values()].flatMap((same) => [...same]).sort()).toEqual([...new Set(prefixes)].sort());
        for (const [length, same] of byLength) for (const prefix of same) expect(prefix).toHaveLength(length);
      }),
    );
  });
});

describe('splitTypes', () => {
  it('loses no type and takes each once', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...patterns), fc.string())), (types) => {
        const { exact, prefixes } = splitTypes(types);
        expect([...exact, ...prefixes.map((prefix) => `${prefix}*`)].sort()).toEqual([...types].sort());
        expect(prefixes.every((prefix) => prefix.endsWith('.'))).toBe(true);
      }),
    );
  });
});

describe('isSelective', () => {
  it.each<[boolean, EventFilter]>([
    [true, { workspaceIds: [1] }],
    [true, { workspaceIds: [1], entityIds: ['a'] }],
    [true, { workspaceIds: [1], entityIds: ['a'], families: ['session'], types: ['x.*'] }],
    [true, { workspaceIds: [] }],
    [true, { workspaceIds: [1], entityIds: ['a'], entityIdPrefixes: ['a'] }],
    [false, { workspaceIds: [1, 2] }],
    [false, { workspaceIds: [1, 2], entityIds: ['a'] }],
    [false, { workspaceIds: [1], entityIds: ['a', 'b'] }],
    [false, { workspaceIds: [1], types: ['x'] }],
    [false, { workspaceIds: [1], families: ['session'] }],
    [false, { workspaceIds: [1], entityIdPrefixes: ['1:'] }],
    [false, { workspaceIds: [1], families: ['registry'], entityIdPrefixes: ['1:'] }],
  ])('is %s for %j', (selective, filter) => {
    expect(isSelective(filter)).toBe(selective);
  });
});
