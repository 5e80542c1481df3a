import { cloudEventSchema, type EventCatalogue } from '@sluice/event-schema';
import type { z } from 'zod';
import { errorBodySchema, nameEvents } from './components';
import type { JsonObject, JsonValue } from './json';
import { SchemaWriter } from './json-schema';
import type { Operation, OperationAccess, OperationResponse } from './operation';
import { refusalsOf, RETRY_AFTER_STATUSES, type ErrorTable } from './refusals';

export interface OpenApiOptions {
  /** The event types whose data becomes components. */
  readonly catalogue?: EventCatalogue;
  /** The codes that refusals may have. */
  readonly errors?: ErrorTable;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const SECURITY: Readonly<Record<OperationAccess, JsonValue>> = {
  public: [],
  key: [{ apiKey: [] }, { bearer: [] }],
  operator: [{ apiKey: [] }, { bearer: [] }],
  key_or_token: [{ apiKey: [] }, { bearer: [] }, { streamToken: [] }],
};

const SECURITY_SCHEMES: JsonObject = {
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, the access token of a sandbox, or, where it is accepted, a stream token.',
  },
  streamToken: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'A short-lived stream token (POST /v1/stream-tokens), for browsers. Never an API key.',
  },
};

const DESCRIPTION = [
  'Every answer has the header X-Request-ID; a request may bring its own.',
  'Bodies are JSON in UTF-8 and are not compressed. Times are milliseconds since 1970 unless a field says otherwise.',
  'What belongs to another workspace is answered as what does not exist or as a bad credential (G8).',
].join('\n');

/**
 * The OpenAPI 3.1 document of the operations. The same operations in any order give the same document.
 * @throws Error when two operations have one method and path, a path and its parameters disagree, or a tag has two forms of
 *   refusals.
 */
export function openApiDocument(
  operations: readonly Operation[],
  version: string,
  options: OpenApiOptions = {},
): JsonObject {
  const writer = new SchemaWriter('draft-2020-12');
  writer.name('Error', errorBodySchema);
  writer.name('CloudEvent', cloudEventSchema);
  if (options.catalogue) nameEvents(writer, options.catalogue);
  for (const { tag, errorBody } of sorted(operations)) {
    if (errorBody) writer.name(`Error.${tag.replaceAll(/[^\w.-]+/g, '-')}`, errorBody);
  }
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const operation of sorted(operations)) {
    const method = operation.method.toLowerCase();
    const item = (paths[operation.path] ??= {});
    if (item[method]) throw new Error(`${operation.method} ${operation.path} is described twice`);
    item[method] = operationObject(operation, writer, options.errors ?? {});
  }
  const tags = [...new Set(operations.map(({ tag }) => titleOf(tag)))].sort();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The process that serves this document, or the Ingress before it.' }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: { schemas: writer.components(), securitySchemes: SECURITY_SCHEMES },
  };
}

function sorted(operations: readonly Operation[]): readonly Operation[] {
  const place = ({ method }: Operation) => METHODS.indexOf(method);
  return [...operations].sort((a, b) => compare(a.path, b.path) || place(a) - place(b));
}

/** By code units: the same on every machine. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Apps need not agree on capitals. */
const titleOf = (tag: string): string => tag.charAt(0).toUpperCase() + tag.slice(1);

function operationObject(operation: Operation, writer: SchemaWriter, errors: ErrorTable): JsonObject {
  const { summary, description, tag, access, body } = operation;
  const parameters = parameterObjects(operation, writer);
  return {
    operationId: operationIdOf(operation),
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [titleOf(tag)],
    'x-sluice-app': operation.app,
    ...(access === 'operator' ? { 'x-sluice-access': 'operator' } : {}),
    security: SECURITY[access],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, writer) } }),
    responses: responseObjects(operation, writer, errors),
  };
}

/** `GET /v1/events/{eventId}` → `getV1EventsByEventId`. */
function operationIdOf({ method, path }: Pick<Operation, 'method' | 'path'>): string {
  const words = path
    .replaceAll(/\{(\w+)\}/g, 'by-$1')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
}

function parameterObjects(operation: Operation, writer: SchemaWriter): JsonObject[] {
  const { path, query, headers } = operation.parameters ?? {};
  const placeholders = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const described = Object.keys(path?.shape ?? {});
  if (placeholders.join() !== described.join()) {
    throw new Error(
      `${operation.path} has the parameters (${placeholders.join()}) but describes (${described.join()})`,
    );
  }
  return [
    ...parametersIn('path', path, writer),
    ...parametersIn('query', query, writer),
    ...parametersIn('header', headers, writer),
  ];
}

function parametersIn(place: string, parameters: z.ZodObject | undefined, writer: SchemaWriter): JsonObject[] {
  if (parameters === undefined) return [];
  const { properties, required } = writer.expand(parameters) as {
    readonly properties?: Readonly<Record<string, JsonObject>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || (required ?? []).includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function responseObjects(operation: Operation, writer: SchemaWriter, errors: ErrorTable): JsonObject {
  const responses: Record<string, JsonObject> = {};
  const isHead = operation.method === 'HEAD';
  const refusal = isHead ? {} : { content: { 'application/json': operation.errorBody ?? errorBodySchema } };
  for (const [status, response] of Object.entries(operation.responses)) {
    const isRefusal = Number(status) >= 400;
    responses[status] = responseObject(Number(status), isRefusal ? { ...refusal, ...response } : response, writer);
  }
  for (const [status, codes] of refusalsOf(operation, errors)) {
    const isKnown = codes.length > 0 && operation.errorBody === undefined;
    const description = isKnown ? `Refused: ${codes.map((code) => `\`${code}\``).join(', ')}.` : 'Refused.';
    responses[status] = responseObject(status, { ...refusal, description }, writer);
  }
  return responses;
}

function responseObject(status: number, { description, content }: OperationResponse, writer: SchemaWriter): JsonObject {
  const retryAfter = { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } };
  return {
    description,
    ...(RETRY_AFTER_STATUSES.includes(status) ? { headers: { 'Retry-After': retryAfter } } : {}),
    ...(content === undefined ? {} : { content: contentOf(content, writer) }),
  };
}

function contentOf(content: Readonly<Record<string, z.ZodType | 'stream'>>, writer: SchemaWriter): JsonObject {
  const types = Object.keys(content).sort();
  return Object.fromEntries(types.map((type) => [type, { schema: schemaOf(content[type], writer) }]));
}

function schemaOf(content: z.ZodType | 'stream' | undefined, writer: SchemaWriter): JsonObject {
  if (content === undefined || content === 'stream') return { type: 'string' };
  return writer.write(content);
}
