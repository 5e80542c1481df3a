import { eventDataSchema, eventEnvelopeSchema, recordedEventSchema, type EventCatalogue } from '@sluice/event-schema';
import { z } from 'zod';
import type { SchemaWriter } from './json-schema';

/** The body of every refusal, but at the doors that have a form of their own. */
export const errorBodySchema = z
  .object({
    success: z.literal(false),
    error: z.string().meta({ description: 'One line for people.' }),
    code: z.string().meta({ description: 'Stable: for programs.' }),
    where: z.string().optional().meta({ description: 'Where the fault is, for example `query.limit`.' }),
    requestId: z.string().optional().meta({ description: 'As in the header X-Request-ID.' }),
  })
  .meta({ description: 'Why a request was refused.' });

/** The component that holds the data of an event type. */
export function eventDataName(family: string, type: string): string {
  return `${family}.${type.replaceAll(/[^\w.-]/g, '_')}`;
}

/** Names what both documents share: events, and the data of each type of the catalogue. */
export function nameEvents(writer: SchemaWriter, catalogue: EventCatalogue): void {
  writer.name('EventData', eventDataSchema);
  writer.name('EventEnvelope', eventEnvelopeSchema);
  writer.name('RecordedEvent', recordedEventSchema);
  for (const { family, type, data } of catalogue.all()) writer.name(eventDataName(family, type), data);
}
