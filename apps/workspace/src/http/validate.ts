import { SluiceError } from '@sluice/event-log';
import type { z } from 'zod';

/** The part of a request that a value came from; errors name it. */
export type RequestPart = 'path' | 'query' | 'body';

/** Most characters of a foreign member's name that are repeated to the caller. */
const MAX_SHOWN_NAME_LENGTH = 64;

/**
 * The value, checked.
 * @throws SluiceError `invalid_request` that names the first fault and where it is, for example `query.limit`.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: RequestPart): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String) ?? [];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const where = [part, ...path, ...unknown.map((name) => name.slice(0, MAX_SHOWN_NAME_LENGTH))].join('.');
  const message = unknown.length > 0 ? 'is not known here' : (issue?.message ?? 'invalid');
  throw new SluiceError('invalid_request', `${where}: ${message}`, { where });
}
