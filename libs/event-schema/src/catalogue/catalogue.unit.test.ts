import fc from 'fast-check';
import { z } from 'zod';
import { jsonObject } from '../../test/arbitraries';
import { SAMPLE } from '../../test/sample';
import { eventDataSchema } from '../envelope';
import { CatalogueError, EventCatalogue } from './catalogue';
import { defineEventType, type EventTypeDefinition, type Upcaster } from './event-type';

const NAME = { family: 'sandbox', type: 'build.finished', description: 'A build ended.' } as const;

const v1 = z.object({ ok: z.boolean() });
const v2 = z.object({ outcome: z.enum(['passed', 'failed']) });
const v3 = z.object({ outcome: z.enum(['passed', 'failed']), attempts: z.int() });

const built = defineEventType(NAME, v1)
  .next(v2, ({ ok }) => ({ outcome: ok ? 'passed' : 'failed' }))
  .next(v3, ({ outcome }) => ({ outcome, attempts: 1 }));

const step = (from: number): Upcaster => ({
  from,
  data: eventDataSchema,
  upcast: (data) => ({ ...data, seen: [...((data['seen'] as number[] | undefined) ?? []), from] }),
});

function definition(version: number, froms: readonly number[]): EventTypeDefinition {
  return { ...NAME, version, data: eventDataSchema, upcasters: froms.map(step) };
}

const upTo = (version: number) => Array.from({ length: version - 1 }, (_, index) => index + 1);

describe('EventCatalogue: the check at the start', () => {
  it('takes chains that lead step by step to the current version', () => {
    for (const version of [1, 2, 3, 10]) {
      expect(new EventCatalogue([definition(version, upTo(version))]).currentVersion('sandbox', NAME.type)).toBe(
        version,
      );
    }
    expect(new EventCatalogue([built]).currentVersion('sandbox', NAME.type)).toBe(3);
  });

  it.each<[string, number, number[]]>([
    ['a gap at the start', 3, [2]],
    ['a gap in the middle', 4, [1, 3]],
    ['a gap at the end', 3, [1]],
    ['no step at all', 2, []],
    ['a step too many', 1, [1]],
    ['a step beyond the current version', 2, [1, 2]],
    ['a duplicate', 3, [1, 1, 2]],
    ['a duplicate in place of another step', 3, [1, 1]],
    ['a cycle back to the start', 3, [1, 2, 1]],
    ['a step to itself', 2, [0]],
    ['steps in the wrong order', 3, [2, 1]],
    ['a step from no whole version', 3, [1, 1.5]],
    ['version 0', 0, []],
    ['a negative version', -1, []],
    ['half a version', 1.5, []],
    ['no number as version', Number.NaN, []],
  ])('rejects %s', (_, version, froms) => {
    expect(() => new EventCatalogue([definition(version, froms)])).toThrow(CatalogueError);
  });

  it('accepts exactly the chains 1, 2, … version - 1', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 }),
        (version, froms) => {
          const whole = JSON.stringify(froms) === JSON.stringify(upTo(version));
          const make = () => new EventCatalogue([definition(version, froms)]);
          if (whole) expect(make).not.toThrow();
          else expect(make).toThrow(CatalogueError);
        },
      ),
    );
  });

  it('rejects a type that is defined twice in one family, and takes it in two', () => {
    expect(() => new EventCatalogue([definition(1, []), definition(1, [])])).toThrow('defined twice');
    const elsewhere: EventTypeDefinition = { ...definition(2, [1]), family: 'session' };
    const catalogue = new EventCatalogue([definition(1, []), elsewhere]);
    expect(catalogue.currentVersion('sandbox', NAME.type)).toBe(1);
    expect(catalogue.currentVersion('session', NAME.type)).toBe(2);
    expect(catalogue.all()).toHaveLength(2);
  });

  it.each(['', 'a b', 'a\r\nb', '\ud800'])('rejects the type %j, which no event could have', (type) => {
    expect(() => new EventCatalogue([{ ...definition(1, []), type }])).toThrow(CatalogueError);
  });
});

describe('EventCatalogue: upcast', () => {
  const catalogue = new EventCatalogue([built]);
  const event = (schemaVersion: number, data: Record<string, unknown>) => ({
    ...SAMPLE,
    type: NAME.type,
    schemaVersion,
    data,
  });

  it('brings data of each version to the newest, through each step once', () => {
    const newest = { ...SAMPLE, type: NAME.type, schemaVersion: 3, data: { outcome: 'failed', attempts: 1 } };
    expect(catalogue.upcast(event(1, { ok: false }))).toEqual(newest);
    expect(catalogue.upcast(event(2, { outcome: 'failed' }))).toEqual(newest);
    expect(v3.safeParse(catalogue.upcast(event(1, { ok: true })).data).success).toBe(true);
  });

  it('gives the very same object back when it is current, known type or free', () => {
    const current = event(3, { outcome: 'passed', attempts: 2 });
    expect(catalogue.upcast(current)).toBe(current);
    const free = { ...SAMPLE, type: 'custom.event' };
    expect(catalogue.upcast(free)).toBe(free);
  });

  it('goes through the steps from the version of the data on, in order, and keeps all else', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 8 })
          .chain((version) => fc.tuple(fc.constant(version), fc.integer({ min: 1, max: version }))),
        jsonObject,
        ([version, from], data) => {
          const { seen: _, ...before } = data;
          const text = JSON.stringify(before);
          const old = { ...event(from, before), position: 9 };
          const current = new EventCatalogue([definition(version, upTo(version))]).upcast(old);
          const seen = upTo(version).slice(from - 1);
          expect(current).toEqual({
            ...old,
            schemaVersion: version,
            data: seen.length === 0 ? before : { ...before, seen },
          });
          // The event that came in is as it was.
          expect(JSON.stringify(before)).toBe(text);
          expect(old.schemaVersion).toBe(from);
        },
      ),
    );
  });

  it.each([4, 1_000_000])('refuses version %p, which is newer than it knows', (version) => {
    expect(() => catalogue.upcast(event(version, {}))).toThrow('newer than the known 3');
  });

  it('refuses a newer version of a free type', () => {
    expect(() => catalogue.upcast({ ...SAMPLE, type: 'free', schemaVersion: 2 })).toThrow(CatalogueError);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses version %p, which is none', (version) => {
    expect(() => catalogue.upcast(event(version, { ok: true }))).toThrow(CatalogueError);
  });

  it('hands no step data of another shape than its version has', () => {
    expect(() => catalogue.upcast(event(1, { ok: 'yes' }))).toThrow('not what version 1 has');
    expect(() => catalogue.upcast(event(2, { ok: true }))).toThrow('not what version 2 has');
  });
});

describe('EventCatalogue: free types', () => {
  const catalogue = new EventCatalogue([built]);

  it.each(['custom.event', 'constructor', '__proto__', 'toString', 'build.finished2'])(
    'takes %s as version 1 of any object',
    (type) => {
      expect(catalogue.find('sandbox', type)).toBeUndefined();
      expect(catalogue.currentVersion('sandbox', type)).toBe(1);
      expect(catalogue.dataSchema('sandbox', type)).toBe(eventDataSchema);
    },
  );

  it('takes a known type of another family as free', () => {
    expect(catalogue.currentVersion('session', NAME.type)).toBe(1);
  });

  it('gives the newest schema of a known type', () => {
    expect(catalogue.dataSchema('sandbox', NAME.type)).toBe(v3);
  });
});
