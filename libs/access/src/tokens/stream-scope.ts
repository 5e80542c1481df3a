import { SluiceError } from '@sluice/event-log';
import {
  chainIdSchema,
  entityIdSchema,
  eventFamilySchema,
  eventTypeSchema,
  type EventFamily,
} from '@sluice/event-schema';
import { z } from 'zod';

/** Most values of one field of a scope, and of whatever else asks for events by these fields. */
export const MAX_SCOPE_VALUES = 100;

/** What a stream token lets its bearer see. Fields are combined by AND, the values of one by OR; absent means any. */
export interface StreamScope {
  readonly families?: readonly EventFamily[] | undefined;
  readonly entityIds?: readonly string[] | undefined;
  /** Exact types, or a prefix followed by `.*` (`execution.*`). */
  readonly types?: readonly string[] | undefined;
  /** Entities of these chains only, which are those whose ids begin with the chain's number and a colon. */
  readonly chainIds?: readonly number[] | undefined;
}

const values = <T extends z.ZodType>(value: T) => z.array(value).min(1).max(MAX_SCOPE_VALUES).optional();

/**
 * A scope as it is asked for, and as it stands in a token; the doors of streams read their filters by the same fields.
 * An empty list would show nothing and is refused.
 */
export const streamScopeSchema = z.strictObject({
  families: values(eventFamilySchema),
  entityIds: values(entityIdSchema),
  types: values(eventTypeSchema).meta({ description: 'Exact types, or a prefix followed by `.*`.' }),
  chainIds: values(chainIdSchema).meta({ description: 'Only entities of these chains.' }),
});

/**
 * What is left of a wish within a scope: of each field the values that are wanted, or those of the scope where nothing
 * is. A type is within the scope of a prefix that covers it, and so is a longer prefix. `where` is the part of the
 * request that the wish was read from, for the error.
 *
 * @throws SluiceError `forbidden` for a value beyond the scope: nothing is left out in silence
 */
export function narrowToScope(scope: StreamScope, wanted: StreamScope, where: string): StreamScope {
  const narrowed = {
    families: narrow(scope.families, wanted.families, `${where}.families`),
    entityIds: narrow(scope.entityIds, wanted.entityIds, `${where}.entityIds`),
    types: narrow(scope.types, wanted.types, `${where}.types`, isWithinPrefix),
    chainIds: narrow(scope.chainIds, wanted.chainIds, `${where}.chainIds`),
  };
  return Object.fromEntries(Object.entries(narrowed).filter(([, value]) => value !== undefined));
}

function narrow<T>(
  allowed: readonly T[] | undefined,
  wanted: readonly T[] | undefined,
  where: string,
  isCovered: (value: T, by: T) => boolean = () => false,
): readonly T[] | undefined {
  if (allowed === undefined || wanted === undefined) return wanted ?? allowed;
  const named = new Set(allowed);
  if (wanted.every((value) => named.has(value) || allowed.some((by) => isCovered(value, by)))) return wanted;
  throw new SluiceError('forbidden', 'This is beyond the scope of the stream token', { where });
}

/** Whether a type, or a prefix of types, is among those of a prefix: of `a.*` are `a.b` and `a.b.*`. */
function isWithinPrefix(type: string, prefix: string): boolean {
  return prefix.endsWith('.*') && type.startsWith(prefix.slice(0, -1));
}
