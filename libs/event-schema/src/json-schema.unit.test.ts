import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020';
import fc from 'fast-check';
import { z } from 'zod';
import { envelope, HOSTILE_NAMES, hostileName, jsonObject, nearlyEnvelope } from '../test/arbitraries';
import { nearly } from '../test/nearly';
import { SAMPLE } from '../test/sample';
import { WORKSPACE_SAMPLES } from '../test/workspace-samples';
import { DETAILED_REGISTRY_SAMPLES, SESSION_SAMPLES } from './conformance';
import { defineEventType } from './catalogue/event-type';
import { eventCatalogue } from './catalogue/event-catalogue';
import { eventEnvelopeSchema, safeNameSchema } from './envelope';
import type { EventFamily } from './family';
import { exportJsonSchemas, jsonSchemaFileName } from './json-schema';
import { MAX_NAME_LENGTH, MAX_TIMESTAMP_MS, MAX_WORKSPACE_ID } from './limits';
import { recordedEventSchema } from './recorded-event';
import { sandboxEventSchema, toSandboxEvent } from './sandbox/sandbox-event';

const schemas = exportJsonSchemas(eventCatalogue.all());
// The pattern beside it says what the format would say.
const ajv = new Ajv2020({ strict: true, allErrors: false, formats: { uuid: true } });
const compile = (name: string) => ajv.compile(schemas[name] ?? {});

const isEnvelope = compile('event-envelope');
const isRecorded = compile('recorded-event');
const isSandboxEvent = compile('sandbox-event');

/** The same value as a reader of the text has it. */
const asRead = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('exportJsonSchemas', () => {
  it('says draft 2020-12, a title and a description, and is valid by its own rules', () => {
    for (const [name, schema] of Object.entries(schemas)) {
      expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: name });
      expect(schema.description).toMatch(/\.$/);
      expect(ajv.validateSchema(schema)).toBe(true);
    }
  });

  it('has the three forms of an event and the data of every version of every type', () => {
    const types = eventCatalogue.all().map(({ family, type, version }) => `${family}/${type}/v${version}`);
    expect(Object.keys(schemas)).toEqual(['event-envelope', 'recorded-event', 'sandbox-event', ...types]);
    const name = { family: 'session', type: 'a/b', description: 'Made up.' } as const;
    const history = defineEventType(name, z.object({ a: z.string() })).next(z.object({ b: z.int() }), () => ({ b: 1 }));
    const { 'session/a/b/v1': v1, 'session/a/b/v2': v2 } = exportJsonSchemas([history]);
    expect(v1).toMatchObject({ type: 'object', required: ['a'], description: 'Made up.' });
    expect(v2).toMatchObject({ type: 'object', required: ['b'], description: 'Made up.' });
  });

  it('accepts every valid envelope, recorded event and sandbox event', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        const recorded = { ...event, position: 1, entitySequence: 1, recordedAt: 1 };
        expect([isEnvelope(event), isRecorded(recorded), isSandboxEvent(toSandboxEvent(event))]).toEqual([
          true,
          true,
          true,
        ]);
      }),
    );
  });

  it('gives of an envelope the verdict that zod gives', () => {
    let rejected = 0;
    fc.assert(
      fc.property(nearlyEnvelope, (value) => {
        const read = asRead(value);
        const expected = eventEnvelopeSchema.safeParse(read).success;
        if (!expected) rejected++;
        expect(isEnvelope(read)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
    expect(rejected).toBeGreaterThan(100);
  });

  it('gives of a recorded event the verdict that zod gives', () => {
    const place = fc.constantFrom(0, 1, 1.5, -1, '1', null, Number.MAX_SAFE_INTEGER, 1e21);
    fc.assert(
      fc.property(nearlyEnvelope, place, place, place, (value, position, entitySequence, recordedAt) => {
        const read = asRead({ position, entitySequence, recordedAt, ...(value as object) });
        expect(isRecorded(read)).toBe(recordedEventSchema.safeParse(read).success);
      }),
      { numRuns: 300 },
    );
  });

  it('gives of a sandbox event the verdict that zod gives', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            id: fc.oneof(fc.uuid(), hostileName),
            sandboxId: hostileName,
            workspaceId: fc.constantFrom(0, 1, -1, 1.5, MAX_WORKSPACE_ID, MAX_WORKSPACE_ID + 1),
            type: hostileName,
            data: fc.oneof(jsonObject, fc.jsonValue()),
            timestamp: fc.constantFrom(0, -1, MAX_TIMESTAMP_MS, MAX_TIMESTAMP_MS + 1, 'now'),
            extra: fc.jsonValue(),
          },
          { requiredKeys: ['id', 'sandboxId', 'workspaceId', 'data'] },
        ),
        (value) => {
          const read = asRead(value);
          expect(isSandboxEvent(read)).toBe(sandboxEventSchema.safeParse(read).success);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(['entityId', 'type', 'correlationId'])('agrees with zod on each hostile %s', (name) => {
    const names = [...HOSTILE_NAMES, '🐚'.repeat(MAX_NAME_LENGTH), '語'.repeat(MAX_NAME_LENGTH), '__proto__', 'a.b'];
    for (const value of names) {
      const event = { ...SAMPLE, [name]: value };
      expect([value, isEnvelope(event)]).toEqual([value, eventEnvelopeSchema.safeParse(event).success]);
    }
  });

  it('rejects an own __proto__ key beside the members', () => {
    expect(isEnvelope(JSON.parse(`{"__proto__":{},${JSON.stringify(SAMPLE).slice(1)}`))).toBe(false);
  });

  it('accepts an object, and nothing else, as data of every type of the sandbox family', () => {
    for (const { family, type, version } of eventCatalogue.all()) {
      if (family !== 'sandbox') continue;
      const isData = compile(`${family}/${type}/v${version}`);
      expect([{}, { a: [1] }, [], null, 'text', 1].map((value) => isData(value))).toEqual([
        true,
        true,
        ...Array(4).fill(false),
      ]);
    }
  });
});

describe.each<[family: string, samples: Readonly<Record<string, object>>]>([
  ['registry', DETAILED_REGISTRY_SAMPLES],
  ['workspace', WORKSPACE_SAMPLES],
  ['session', SESSION_SAMPLES],
])('the JSON Schemas of the %s family', (family, samples) => {
  it.each(Object.keys(samples))('give of data of %s the verdict that zod gives', (type) => {
    const isData = compile(`${family}/${type}/v1`);
    const schema = eventCatalogue.dataSchema(family as EventFamily, type);
    expect([isData(samples[type]), schema.safeParse(samples[type]).success]).toEqual([true, true]);
    const verdicts = new Set<boolean>();
    fc.assert(
      fc.property(nearly(samples[type]), (value) => {
        const parsed = schema.safeParse(value);
        // The one rule that JSON Schema has no word for.
        if (parsed.error?.issues.every(({ message }) => message === 'must begin with chainId')) return;
        verdicts.add(parsed.success);
        expect([value, isData(value)]).toEqual([value, parsed.success]);
      }),
      { numRuns: 300 },
    );
    expect(verdicts).toContain(false);
  });
});

describe('jsonSchemaFileName', () => {
  it('gives each schema a file of its own, without a path in it', () => {
    expect(jsonSchemaFileName('event-envelope')).toBe('event-envelope.schema.json');
    expect(jsonSchemaFileName('sandbox/file.read/v1')).toBe('sandbox.file.read.v1.schema.json');
    fc.assert(
      fc.property(hostileName, hostileName, (a, b) => {
        fc.pre(a !== b && [a, b].every((type) => safeNameSchema.safeParse(type).success));
        const files = [a, b].map((type) => jsonSchemaFileName(`sandbox/${type}/v1`));
        expect(files[0]).not.toBe(files[1]);
        for (const file of files) expect(file).not.toMatch(/[/\\\0\r\n]/);
      }),
    );
  });
});

describe('docs/reference/events', () => {
  it('holds what the code says; `npm run schemas` writes it anew', () => {
    const folder = join(__dirname, '../../../docs/reference/events');
    const files = readdirSync(folder).filter((file) => file.endsWith('.schema.json'));
    const published = files.map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as unknown]);
    const expected = Object.entries(schemas).map(([name, schema]) => [jsonSchemaFileName(name), schema]);
    expect(Object.fromEntries(published)).toEqual(Object.fromEntries(expected));
  });
});
