// Writes the JSON Schemas of event-schema to docs/reference/events, one file each, and removes files of schemas that are
// gone. Run it after a build; a unit test of event-schema fails while the files and the code disagree.
import { createRequire } from 'node:module';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, 'docs', 'reference', 'events');

const require = createRequire(import.meta.url);
const { eventCatalogue, exportJsonSchemas, jsonSchemaFileName } = require('@sluice/event-schema');

const schemas = Object.entries(exportJsonSchemas(eventCatalogue.all()));
const files = new Map(schemas.map(([name, schema]) => [jsonSchemaFileName(name), schema]));

mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) {
  if (file.endsWith('.schema.json') && !files.has(file)) rmSync(join(folder, file));
}
for (const [file, schema] of files) {
  const path = join(folder, file);
  const options = await prettier.resolveConfig(path);
  writeFileSync(path, await prettier.format(JSON.stringify(schema), { ...options, filepath: path }));
}
console.log(`${files.size} schemas in docs/reference/events`);
