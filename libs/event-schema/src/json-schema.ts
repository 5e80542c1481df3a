import { z } from 'zod';
import { eventEnvelopeSchema } from './envelope';
import { recordedEventSchema } from './recorded-event';
import { sandboxEventSchema } from './sandbox/sandbox-event';
import type { EventTypeDefinition } from './catalogue/event-type';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema (2020-12) has no word for our custom "any JSON object" check, so it is said here. */
function toJsonSchema(title: string, schema: z.ZodType, description?: string): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'custom') jsonSchema.type = 'object';
    },
  });
  return { $schema, title, ...(description === undefined ? {} : { description }), ...rest };
}

/**
 * The JSON Schemas of everything that this package defines, by name; data schemas, of every version of a type, under
 * `{family}/{type}/v{n}`. They accept what the zod schemas accept, except that no JSON Schema can bound the depth of `data`.
 */
export function exportJsonSchemas(definitions: readonly EventTypeDefinition[]): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  const add = (name: string, schema: z.ZodType, description: string) => {
    schemas[name] = toJsonSchema(name, schema, description);
  };
  add('event-envelope', eventEnvelopeSchema, 'An event as it is appended to the durable log.');
  add('recorded-event', recordedEventSchema, 'An event with its place in the log, as subscribers receive it.');
  add('sandbox-event', sandboxEventSchema, 'A sandbox event as the sandbox events clients see it.');
  for (const { family, type, version, data, description, upcasters } of definitions) {
    for (const { from, data: earlier } of upcasters) add(`${family}/${type}/v${from}`, earlier, description);
    add(`${family}/${type}/v${version}`, data, description);
  }
  return schemas;
}

/** The file that a schema of `exportJsonSchemas` is published as. Different names give different files. */
export function jsonSchemaFileName(name: string): string {
  const [, family = name, type, version] = /^([^/]+)\/(.+)\/([^/]+)$/.exec(name) ?? [];
  const stem = type === undefined ? name : `${family}.${encodeURIComponent(type)}.${version}`;
  return `${stem}.schema.json`;
}
