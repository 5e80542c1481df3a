import { SluiceError } from '@sluice/event-log';
import type { z } from 'zod';

/** The part of a request that a value came from; errors name it. */
export type RequestPart = 'path' | 'query' | 'headers' | 'body';

/** Most characters of a name that the caller chose which are repeated to it. */
export const MAX_SHOWN_NAME_LENGTH = 64;

/** Most characters of the place of a fault; a deeper one is told by its beginning. */
export const MAX_WHERE_LENGTH = 256;

/**
 * The value, checked: the one way in which doors refuse what does not fit its schema. Without a part, places are told from
 * the value on.
 * @throws SluiceError `invalid_request` that names the first fault and where it is: `query.limit: must be …`. Names that
 *   the caller chose are shortened.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part?: RequestPart): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // One unknown member says enough; a caller may have sent any number.
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const names = [...(issue?.path ?? []), ...unknown].map((name) => shownName(String(name)));
  const where = shortened([...(part === undefined ? [] : [part]), ...names].join('.'), MAX_WHERE_LENGTH);
  const message = unknown.length > 0 ? 'is not known here' : (issue?.message ?? 'is not valid');
  if (where === '') throw new SluiceError('invalid_request', message);
  throw new SluiceError('invalid_request', `${where}: ${message}`, { where });
}

/** A name that a caller chose, short enough to be repeated in an error. */
export function shownName(name: string): string {
  return shortened(name, MAX_SHOWN_NAME_LENGTH);
}

function shortened(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  // The first half of a pair alone is no character.
  return text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '');
}
