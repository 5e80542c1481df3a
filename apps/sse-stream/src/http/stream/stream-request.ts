import type { Principal } from '@sluice/access';
import type { EventFilter, StartPlace } from '@sluice/event-log';
import { entityIdSchema, eventFamilySchema, eventTypeSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { toEventFilter } from '../../requested-filter';
import { commonQuery, parsePart, startPlace } from '../request-parts';

/** Most names that one filter may have. */
const MAX_NAMES = 100;

/** A repeated parameter, or one with commas. */
const list = <T>(item: z.ZodType<T, string>) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat().flatMap((text) => text.split(',')))
    .pipe(z.array(item).min(1).max(MAX_NAMES))
    .optional();

export const streamQuerySchema = z.strictObject({
  family: list(eventFamilySchema),
  entityId: list(entityIdSchema),
  types: list(eventTypeSchema),
  ...commonQuery,
});

export interface StreamRequest {
  readonly filter: EventFilter;
  readonly start: StartPlace;
}

/**
 * What a caller asks to see, and from where on.
 * @throws SluiceError `invalid_request`, `invalid_cursor`, `unauthorized`, `forbidden`
 */
export function readStreamRequest(query: unknown, lastEventIdHeader: unknown, principal: Principal): StreamRequest {
  const { family, entityId, types, workspaceId, cursor, lastEventId } = parsePart(streamQuerySchema, query, 'query');
  const wanted = { families: family, entityIds: entityId, types, workspaceId };
  return {
    filter: toEventFilter(principal, wanted, 'query'),
    start: startPlace({ header: lastEventIdHeader, lastEventId, cursor }),
  };
}
