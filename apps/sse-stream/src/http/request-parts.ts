import { parseStartPlace, type StartPlace } from '@sluice/event-log';
import { workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { MAX_CURSOR_LENGTH } from '../cursors';

const MAX_TOKEN_LENGTH = 8_192;

/** Query parameters that all doors of this system read alike. */
export const commonQuery = {
  workspaceId: z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(workspaceIdSchema)
    .optional()
    .meta({ description: "The caller's own when absent; an operator, who has none, names one." }),
  cursor: z
    .string()
    .max(MAX_CURSOR_LENGTH)
    .optional()
    .meta({ description: '`earliest`, `latest` (when absent), or a cursor of any door.' }),
  lastEventId: z
    .string()
    .max(MAX_CURSOR_LENGTH)
    .optional()
    .meta({ description: 'A cursor; goes before `cursor`, for clients that cannot send the header.' }),
  /** A stream token; who opens the door has read it. */
  token: z.string().max(MAX_TOKEN_LENGTH).optional().meta({ description: 'A stream token.' }),
};

export interface CursorSources {
  /** The header `Last-Event-ID`. */
  readonly header: unknown;
  readonly lastEventId?: string | undefined;
  readonly cursor?: string | undefined;
}

/**
 * The text that says where to start. `Last-Event-ID` goes before the query: a browser that connects again sends both, and
 * knows more than the address that it was given.
 */
export function startText({ header, lastEventId, cursor }: CursorSources): string | undefined {
  return (typeof header === 'string' && header !== '' ? header : undefined) ?? lastEventId ?? cursor;
}

/** @throws SluiceError `invalid_cursor` */
export function startPlace(sources: CursorSources): StartPlace {
  const text = startText(sources);
  return text === undefined ? 'latest' : parseStartPlace(text);
}
