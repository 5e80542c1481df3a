import { z } from 'zod';
import { eventEnvelopeSchema } from './envelope';
import { recordedEventSchema } from './recorded-event';
import { sandboxEventSchema } from './sandbox/sandbox-event';
import type { EventTypeDefinition } from './catalogue/catalogue';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema (2020-12) has no word for our custom "any JSON object" check, so it is said here. */
function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'custom') jsonSchema.type = 'object';
    },
  });
}

/** The JSON Schemas of everything that this package defines, by name; data schemas under `{family}/{type}/v{n}`. */
export function exportJsonSchemas(definitions: readonly EventTypeDefinition[]): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {
    'event-envelope': toJsonSchema(eventEnvelopeSchema),
    'recorded-event': toJsonSchema(recordedEventSchema),
    'sandbox-event': toJsonSchema(sandboxEventSchema),
  };
  for (const { family, type, version, data, description } of definitions) {
    schemas[`${family}/${type}/v${version}`] = { ...toJsonSchema(data), description };
  }
  return schemas;
}
