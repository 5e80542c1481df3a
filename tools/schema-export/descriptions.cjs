// What the apps say of themselves, put together: every export of an app that is called `…Operations` or `…Channels`.
// CommonJS, so that the exporter (on the build) and the tests (on the sources) share it.
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(module.path, '..', '..');
const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

/** The modules of all apps; the one process has no doors of its own, and the command line none at all. */
function appModules() {
  const folders = readdirSync(join(root, 'apps')).sort();
  return folders
    .filter((folder) => folder !== 'all-in-one' && folder !== 'cli')
    .map((folder) => require(readJson('apps', folder, 'package.json').name));
}

const exportsOf = (module, ending) =>
  Object.entries(module)
    .filter(([name]) => name.endsWith(ending))
    .flatMap(([, value]) => value);

/** Every operation and every channel. */
function describeAll() {
  const modules = appModules();
  const { commonOperations } = require('@sluice/api-description');
  return {
    operations: [...commonOperations, ...modules.flatMap((module) => exportsOf(module, 'Operations'))],
    channels: modules.flatMap((module) => exportsOf(module, 'Channels')),
  };
}

/** Both documents, from what the code says now. */
function makeDocuments() {
  const { asyncApiDocument, openApiDocument } = require('@sluice/api-description');
  const { ERROR_TABLE } = require('@sluice/event-log');
  const { eventCatalogue } = require('@sluice/event-schema');
  const { operations, channels } = describeAll();
  const { version } = readJson('package.json');
  return {
    openapi: openApiDocument(operations, version, { catalogue: eventCatalogue, errors: ERROR_TABLE }),
    asyncapi: asyncApiDocument(eventCatalogue, channels, version),
  };
}

/** The folders that hold a copy of each document. */
const DOCUMENT_FOLDERS = ['docs/reference', 'libs/api-description/src/documents'];

module.exports = { describeAll, makeDocuments, DOCUMENT_FOLDERS, root };
