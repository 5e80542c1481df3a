import { streamScopeSchema, type Principal } from '@sluice/access';
import type { EventFilter, StartPlace } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import { z } from 'zod';
import { toEventFilter } from '../../requested-filter';
import { commonQuery, startPlace } from '../request-parts';

const { families, entityIds, types } = streamScopeSchema.shape;

/** A repeated parameter, or one with commas. */
const list = <T>(values: z.ZodType<T, string[]>) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat().flatMap((text) => text.split(',')))
    .pipe(values)
    .optional();

export const streamQuerySchema = z.strictObject({
  family: list(families.unwrap()),
  entityId: list(entityIds.unwrap()),
  types: list(types.unwrap()),
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
  const { family, entityId, types, workspaceId, cursor, lastEventId } = validate(streamQuerySchema, query, 'query');
  const wanted = { families: family, entityIds: entityId, types, workspaceId };
  return {
    filter: toEventFilter(principal, wanted, 'query'),
    start: startPlace({ header: lastEventIdHeader, lastEventId, cursor }),
  };
}
