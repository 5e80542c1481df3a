import { authorise, type Principal } from '@sluice/access';
import { parseStartPlace, SluiceError, type EventFilter, type StartPlace } from '@sluice/event-log';
import { entityIdSchema, eventFamilySchema, eventTypeSchema, workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';

/** Most names that one filter may have. */
const MAX_NAMES = 100;

/** A repeated parameter, or one with commas. */
const list = <T>(item: z.ZodType<T, string>) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat().flatMap((text) => text.split(',')))
    .pipe(z.array(item).min(1).max(MAX_NAMES))
    .optional();

const querySchema = z.strictObject({
  family: list(eventFamilySchema),
  entityId: list(entityIdSchema),
  types: list(eventTypeSchema),
  workspaceId: z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(workspaceIdSchema)
    .optional(),
  cursor: z.string().max(64).optional(),
  lastEventId: z.string().max(64).optional(),
});

export interface StreamRequest {
  readonly filter: EventFilter;
  readonly start: StartPlace;
}

/**
 * What a caller asks to see, and from where on. `Last-Event-ID` goes before `cursor`: a browser that connects again
 * sends both, and knows more than the address it was given.
 * @throws SluiceError `invalid_request`, `invalid_cursor`, `unauthorized`, `forbidden`
 */
export function readStreamRequest(query: unknown, lastEventIdHeader: unknown, principal: Principal): StreamRequest {
  const parsed = querySchema.safeParse(query);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0];
    throw new SluiceError('invalid_request', issue?.message ?? 'Invalid query', { where: `query.${String(where)}` });
  }
  const { family, types, cursor, lastEventId } = parsed.data;
  const ownSandbox = principal.kind === 'sandbox' ? principal.sandboxId : undefined;
  const entityId = parsed.data.entityId ?? (ownSandbox === undefined ? undefined : [ownSandbox]);
  const families = family ?? (ownSandbox === undefined ? undefined : (['sandbox'] as const));
  const workspaceId = parsed.data.workspaceId ?? principal.workspaceId ?? undefined;
  if (workspaceId === undefined) {
    throw new SluiceError('invalid_request', 'workspaceId is required with these credentials', {
      where: 'query.workspaceId',
    });
  }
  for (const eachFamily of families ?? [undefined]) {
    for (const eachEntity of entityId ?? [undefined]) {
      authorise(principal, 'stream', { workspaceId, family: eachFamily, entityId: eachEntity });
    }
  }
  const from =
    (typeof lastEventIdHeader === 'string' && lastEventIdHeader !== '' ? lastEventIdHeader : undefined) ??
    lastEventId ??
    cursor;
  return {
    filter: {
      workspaceIds: [workspaceId],
      ...(families === undefined ? {} : { families }),
      ...(entityId === undefined ? {} : { entityIds: entityId }),
      ...(types === undefined ? {} : { types }),
    },
    start: from === undefined ? 'latest' : parseStartPlace(from),
  };
}
