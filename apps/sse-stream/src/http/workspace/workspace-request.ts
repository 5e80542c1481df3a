import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '@sluice/access';
import type { EventFilter, StartPlace } from '@sluice/event-log';
import { WORKSPACE_FORMATS, type WorkspaceFormat } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import { z } from 'zod';
import { toEventFilter } from '../../requested-filter';
import { commonQuery, startPlace } from '../request-parts';

/** Unknown parameters are let by, as the public gateway does: clients add some against caches. */
export const workspaceQuerySchema = z.object({
  ...commonQuery,
  format: z.enum(WORKSPACE_FORMATS).default('document'),
});

/** What a caller of a workspace door (`/api/events`, `/ws`) is shown. */
export interface WorkspaceRequest {
  readonly filter: EventFilter;
  readonly start: StartPlace;
  /** Means nothing at `/ws`. */
  readonly format: WorkspaceFormat;
}

/**
 * Reads `format`, `lastEventId`, `cursor` and `workspaceId` (for operators) of a query, and the header `Last-Event-ID`.
 * @throws SluiceError `invalid_request`, `invalid_cursor`, `unauthorized`, `forbidden`
 */
export function readWorkspaceRequest(
  query: unknown,
  headers: IncomingHttpHeaders,
  principal: Principal,
): WorkspaceRequest {
  const { format, workspaceId, lastEventId, cursor } = validate(workspaceQuerySchema, query, 'query');
  const wanted = { families: ['workspace'] as const, ...(workspaceId !== undefined && { workspaceId }) };
  return {
    filter: toEventFilter(principal, wanted, 'query'),
    start: startPlace({ header: headers['last-event-id'], lastEventId, cursor }),
    format,
  };
}
