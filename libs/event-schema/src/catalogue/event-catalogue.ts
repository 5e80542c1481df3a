import { registryEventTypes } from '../registry/definitions';
import { sandboxEventTypes } from '../sandbox/definitions';
import { sessionEventTypes } from '../session/definitions';
import { workspaceEventTypes } from '../workspace/definitions';
import { EventCatalogue } from './catalogue';

/** Every event type that Sluice documents. It is checked when this module is loaded, so a broken chain stops the start. */
export const eventCatalogue = new EventCatalogue([
  ...sandboxEventTypes,
  ...registryEventTypes,
  ...sessionEventTypes,
  ...workspaceEventTypes,
]);
