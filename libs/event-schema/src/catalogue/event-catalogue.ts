import { sandboxEventTypes } from '../sandbox/definitions';
import { EventCatalogue } from './catalogue';

/** Every event type that Sluice documents. It is checked when this module is loaded, so a broken chain stops the start. */
export const eventCatalogue = new EventCatalogue([...sandboxEventTypes]);
