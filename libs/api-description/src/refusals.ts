import type { Operation } from './operation';

/** Every error code with the status that it is answered with. */
export type ErrorTable = Readonly<Record<string, { readonly status: number }>>;

/** Statuses whose answers say when to come again. */
export const RETRY_AFTER_STATUSES: readonly number[] = [429, 503];

/** Codes that are about a body. */
const BODY_CODES: readonly string[] = ['invalid_json'];

/** The refusals that an operation may answer beside what it says itself, with the codes that may stand in them. */
export function refusalsOf(operation: Operation, errors: ErrorTable): ReadonlyMap<number, readonly string[]> {
  const { access, parameters, body, responses, without = [] } = operation;
  const statuses = [
    ...(parameters !== undefined || body !== undefined ? [400] : []),
    ...(access === 'public' ? [] : [401, 403, 429]),
    ...(body === undefined ? [] : [413, 415]),
    500,
    503,
  ];
  const refusals = new Map<number, readonly string[]>();
  for (const status of statuses) {
    if (responses[status] !== undefined || without.includes(status)) continue;
    const codes = Object.keys(errors).filter((code) => errors[code]?.status === status);
    const possible = codes.filter((code) => body !== undefined || !BODY_CODES.includes(code));
    refusals.set(status, possible.sort());
  }
  return refusals;
}
