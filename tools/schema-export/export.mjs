// Writes what is generated from the schemas, after a build: the JSON Schemas of event-schema to docs/reference/events, one
// file each (files of schemas that are gone are removed), the OpenAPI and AsyncAPI documents to docs/reference and to
// api-description, which serves them, and the page of who may call what to docs/reference. Tests fail while the files and the code disagree.
import { createRequire } from 'node:module';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import prettier from 'prettier';

const require = createRequire(import.meta.url);
const { accessPage } = require('./access-rules.cjs');
const { DOCUMENT_FOLDERS, makeDocuments, root } = require('./descriptions.cjs');
const { eventCatalogue, exportJsonSchemas, jsonSchemaFileName } = require('@sluice/event-schema');

async function writeFormatted(path, text) {
  const options = await prettier.resolveConfig(path);
  writeFileSync(path, await prettier.format(text, { ...options, filepath: path }));
}

const writeJson = (path, value) => writeFormatted(path, JSON.stringify(value));

const folder = join(root, 'docs', 'reference', 'events');
const schemas = Object.entries(exportJsonSchemas(eventCatalogue.all()));
const files = new Map(schemas.map(([name, schema]) => [jsonSchemaFileName(name), schema]));
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) {
  if (file.endsWith('.schema.json') && !files.has(file)) rmSync(join(folder, file));
}
for (const [file, schema] of files) await writeJson(join(folder, file), schema);
console.log(`${files.size} schemas in docs/reference/events`);

if (!process.argv.includes('--events')) {
  const documents = Object.entries(makeDocuments());
  for (const [name, document] of documents) {
    for (const target of DOCUMENT_FOLDERS) await writeJson(join(root, target, `${name}.json`), document);
  }
  await writeFormatted(join(root, 'docs', 'reference', 'access.md'), accessPage());
  console.log('access.md in docs/reference');
  console.log(`openapi.json and asyncapi.json in ${DOCUMENT_FOLDERS.join(' and ')}`);
}
