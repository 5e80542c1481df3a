import { parseStartPlace, SluiceError, toSluiceError, type StartPlace } from '@sluice/event-log';
import { entityIdSchema, eventTypeSchema, MAX_TIMESTAMP_MS, MAX_WORKSPACE_ID } from '@sluice/event-schema';
import { z } from 'zod';

export const DEFAULT_PAGE_LIMIT = 100;
export const MAX_PAGE_LIMIT = 1000;

/** Most types that one request may name. */
const MAX_TYPES = 100;

/** A query parameter that may be given once. */
const once = z.string({ error: 'must be given once, as text' });

/** A whole number in decimal digits. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return once
    .regex(/^(?:0|[1-9]\d{0,15})$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

export const limitField = (max = MAX_PAGE_LIMIT, fallback = DEFAULT_PAGE_LIMIT) =>
  wholeNumber(1, max)
    .default(Math.min(max, fallback))
    .meta({ description: `How many at most: 1 to ${max}, ${Math.min(max, fallback)} when absent.` });

export const workspaceField = wholeNumber(0, MAX_WORKSPACE_ID)
  .optional()
  .meta({ description: "The caller's own when absent; an operator, who has none, names one." });

export const instantField = wholeNumber(0, MAX_TIMESTAMP_MS)
  .optional()
  .meta({ description: 'Milliseconds since 1970, exclusive, of `occurredAt`.' });

export const orderField = z
  .enum(['asc', 'desc'], { error: 'must be asc or desc' })
  .default('asc')
  .meta({ description: 'By position.' });

export const typeField = once.pipe(eventTypeSchema).optional();

/** Exact types, or a prefix followed by `.*`, separated by commas. */
export const typesField = once
  .transform((text) => text.split(','))
  .pipe(z.array(eventTypeSchema).max(MAX_TYPES, `must name at most ${MAX_TYPES} types`))
  .optional()
  .meta({ description: `Exact types, or prefixes followed by \`.*\`, separated by commas; at most ${MAX_TYPES}.` });

export const entityField = once.pipe(entityIdSchema);

/** `earliest`, `latest` or a cursor. Faults keep the code `invalid_cursor`: on it a client drops its cursor. */
export const startField = once
  .transform(toStartPlace)
  .optional()
  .meta({ description: '`earliest`, `latest`, or a cursor of any door.' });

function toStartPlace(text: string): StartPlace {
  try {
    return parseStartPlace(text);
  } catch (error) {
    const { code, message } = toSluiceError(error);
    throw new SluiceError(code, message, { where: 'query.cursor' });
  }
}
