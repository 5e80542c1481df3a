import { parseStartPlace, SluiceError, toSluiceError, type StartPlace } from '@sluice/event-log';
import { MAX_WORKSPACE_ID } from '@sluice/event-schema';
import { webhookFilterSchema } from '@sluice/webhook-delivery';
import { z } from 'zod';

/** Longest URL of an endpoint, in characters. */
const MAX_URL_CHARS = 2_048;
const MAX_DESCRIPTION_CHARS = 500;
const MAX_REPLAYED_IDS = 1_000;
const MAX_REDELIVERED_IDS = 100;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

const once = z.string({ error: 'must be given once, as text' });

function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return once
    .regex(/^(?:0|[1-9]\d{0,15})$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

const endpointIdSchema = once.regex(/^whk_[0-9a-f]{32}$/, 'must be the id of an endpoint');

export const endpointPathSchema = z.object({ endpointId: endpointIdSchema });

const workspaceId = wholeNumber(0, MAX_WORKSPACE_ID)
  .optional()
  .meta({ description: "The caller's own when absent; an operator, who has none, names one." });
const limit = wholeNumber(1, MAX_LIMIT)
  .default(DEFAULT_LIMIT)
  .meta({ description: `How many at most: 1 to ${MAX_LIMIT}, ${DEFAULT_LIMIT} when absent.` });

export const workspaceQuerySchema = z.strictObject({ workspaceId });

export const endpointsQuerySchema = z.strictObject({
  workspaceId,
  limit,
  after: endpointIdSchema.optional().meta({ description: '`nextAfter` of the page before.' }),
});

export const deadLettersQuerySchema = z.strictObject({
  workspaceId,
  limit,
  before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().meta({ description: '`nextBefore` of the page before.' }),
});

const urlSchema = z
  .string()
  .max(MAX_URL_CHARS, `must have at most ${MAX_URL_CHARS} characters`)
  .refine(isHttpUrl, 'must be a URL of http or https without credentials')
  .meta({
    description: 'Where events are sent by POST. Private addresses are refused, here and when something is sent.',
  });

const descriptionSchema = z
  .string()
  .max(MAX_DESCRIPTION_CHARS, `must have at most ${MAX_DESCRIPTION_CHARS} characters`);

const cursorSchema = z.string().transform(toStartPlace);

export const newEndpointSchema = z.strictObject({
  url: urlSchema,
  filter: webhookFilterSchema.default({}),
  description: descriptionSchema.default(''),
  enabled: z.boolean().default(true),
  cursor: cursorSchema
    .optional()
    .meta({ description: '`earliest`, `latest`, or a cursor of any door: where it begins. `latest` when absent.' }),
});

export const changedEndpointSchema = z
  .strictObject({
    url: urlSchema,
    filter: webhookFilterSchema,
    description: descriptionSchema,
    enabled: z.boolean(),
    cursor: cursorSchema.meta({
      description: 'Where it goes on from, before or after its place. What waits to be tried again is forgotten.',
    }),
  })
  .partial();

export const replaySchema = z.union(
  [
    z.strictObject({
      deadLetterIds: z.array(z.int().min(1)).min(1).max(MAX_REPLAYED_IDS, `must name at most ${MAX_REPLAYED_IDS}`),
    }),
    z.strictObject({ all: z.literal(true) }),
  ],
  { error: 'must have either deadLetterIds, with ids, or all: true' },
);

export const redeliverSchema = z.strictObject({
  eventIds: z
    .array(z.uuid('must be the id of an event'))
    .min(1, 'must name at least one')
    .max(MAX_REDELIVERED_IDS, `must name at most ${MAX_REDELIVERED_IDS}`),
});

function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  return isHttp && url.username === '' && url.password === '';
}

function toStartPlace(text: string): StartPlace {
  try {
    return parseStartPlace(text);
  } catch (error) {
    const { code, message } = toSluiceError(error);
    throw new SluiceError(code, message, { where: 'body.cursor' });
  }
}
