import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { compareRoutes, undescribedEventTypes, uncarriedEventTypes } from '@sluice/api-description';
import {
  eventCatalogue,
  REGISTRY_EVENT_TYPES,
  WORKSPACE_EVENT_TYPES,
  workspaceDocumentName,
} from '@sluice/event-schema';
import { invalidities } from '../../libs/api-description/test/validity';
import { describeAll, DOCUMENT_FOLDERS, makeDocuments, root } from './descriptions.cjs';

const generated = makeDocuments();
const committed = (folder: string, name: string) => readFileSync(join(root, folder, `${name}.json`), 'utf8');
const { operations, channels } = describeAll();
const messagesOf = (name: string) => Object.keys(channels.find((channel) => channel.name === name)?.messages ?? {});

describe('the documents of the API', () => {
  it.each(['openapi', 'asyncapi'] as const)(
    'are committed as the code generates them: %s (npm run schemas)',
    (name) => {
      const [first = '', ...copies] = DOCUMENT_FOLDERS.map((folder) => committed(folder, name));
      // Not shown side by side: they are long.
      expect(isDeepStrictEqual(JSON.parse(first), JSON.parse(JSON.stringify(generated[name])))).toBe(true);
      for (const copy of copies) expect(copy).toBe(first);
    },
  );

  it('are valid by the official schemas', () => {
    expect(invalidities.openApi(generated.openapi)).toEqual([]);
    expect(invalidities.asyncApi(generated.asyncapi)).toEqual([]);
  });

  it('have every event type of the catalogue, on a channel that carries it', () => {
    expect(eventCatalogue.all().length).toBeGreaterThan(REGISTRY_EVENT_TYPES.length + WORKSPACE_EVENT_TYPES.length);
    expect(undescribedEventTypes(eventCatalogue, generated.asyncapi)).toEqual([]);
    expect(uncarriedEventTypes(eventCatalogue, generated.asyncapi)).toEqual([]);
  });

  it('have every event type of a family at the doors that have a form of their own for it', () => {
    expect(messagesOf('registry-events')).toEqual(expect.arrayContaining([...REGISTRY_EVENT_TYPES]));
    expect(messagesOf('workspace-events')).toEqual(
      expect.arrayContaining([...WORKSPACE_EVENT_TYPES, ...WORKSPACE_EVENT_TYPES.map(workspaceDocumentName)]),
    );
  });

  it('have an operation for the address of each channel of HTTP', () => {
    const routes = channels
      .filter(({ protocol }) => protocol !== 'tcp')
      .map(({ address }) => ({ method: 'GET', url: address }));
    expect(routes.length).toBeGreaterThan(0);
    expect(compareRoutes(routes, operations).undescribed).toEqual([]);
  });
});
