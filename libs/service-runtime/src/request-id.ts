import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const REQUEST_ID_HEADER = 'x-request-id';

const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Gives each request its id: the caller's `x-request-id` when it is 1 to 128 of `A-Z a-z 0-9 . _ -`, else one made of a
 * random prefix of the process and a count, which costs nothing and is unique across processes.
 */
export function createRequestIds(): (request: { readonly headers: IncomingHttpHeaders }) => string {
  const prefix = randomBytes(8).toString('hex');
  let count = 0;
  return (request) => {
    const given = request.headers[REQUEST_ID_HEADER];
    if (typeof given === 'string' && ACCEPTED.test(given)) return given;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
