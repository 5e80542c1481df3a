import { z } from 'zod';
import type { JsonObject } from './json';

/** `draft-2020-12` is what OpenAPI 3.1 uses, `draft-7` what AsyncAPI 3.0 uses. */
export type SchemaTarget = 'draft-2020-12' | 'draft-7';

/** Turns zod schemas into JSON Schemas that refer to components by name where a schema has one. */
export class SchemaWriter {
  private readonly names = new Map<z.core.$ZodType, string>();
  private readonly schemas = new Map<string, z.core.$ZodType>();

  constructor(private readonly target: SchemaTarget) {}

  /**
   * Gives a schema the name of a component. Wherever this very schema stands in another one, a reference stands instead.
   * @throws Error when the name is taken by another schema, or is none for a component.
   */
  name(name: string, schema: z.core.$ZodType): void {
    if (!/^[\w.-]+$/.test(name)) throw new Error(`"${name}" cannot name a component`);
    if ((this.schemas.get(name) ?? schema) !== schema) throw new Error(`Two components are called "${name}"`);
    this.schemas.set(name, schema);
    // Of several names of one schema the first is what the others refer to.
    if (!this.names.has(schema)) this.names.set(schema, name);
  }

  /** A reference when the schema has a name, else the schema itself. What a caller may send, or a reader has to expect. */
  write(schema: z.core.$ZodType): JsonObject {
    const name = this.nameOf(schema);
    return name === undefined ? this.expand(schema) : { $ref: reference(name) };
  }

  /** All components, sorted by name. */
  components(): JsonObject {
    const written = new Map<string, JsonObject>();
    // Writing one may name others.
    for (const name of this.schemas.keys()) written.set(name, this.component(name));
    return Object.fromEntries([...written].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The name that it was given, else its title. Of several schemas of one title only the first is named by it. */
  private nameOf(schema: z.core.$ZodType): string | undefined {
    const known = this.names.get(schema);
    const title = known ?? z.globalRegistry.get(schema)?.title;
    if (known !== undefined || title === undefined || this.schemas.has(title)) return known;
    this.name(title, schema);
    return title;
  }

  private component(name: string): JsonObject {
    const schema = this.schemas.get(name);
    if (schema === undefined) return {};
    return this.names.get(schema) === name ? this.expand(schema) : this.write(schema);
  }

  /** The schema itself, also of one that has a name. */
  expand(schema: z.core.$ZodType): JsonObject {
    const { $schema, ...rest } = z.toJSONSchema(schema, {
      target: this.target,
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema, path }) => {
        // The "any JSON object" check of event data has no word in JSON Schema but this.
        if (zodSchema._zod.def.type === 'custom') jsonSchema.type ??= 'object';
        const name = path.length > 0 ? this.nameOf(zodSchema) : undefined;
        if (name === undefined) return;
        for (const member of Object.keys(jsonSchema)) delete jsonSchema[member];
        jsonSchema.$ref = reference(name);
      },
    });
    void $schema;
    return rest as unknown as JsonObject;
  }
}

const reference = (name: string): string => `#/components/schemas/${name}`;
