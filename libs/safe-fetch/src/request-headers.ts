import type { IncomingMessage } from 'node:http';

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Headers that tell a stranger nothing: what follows to another origin. */
const HARMLESS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'user-agent',
  'accept-encoding',
]);

/** Headers of the exchange itself, which callers have no say in. */
const OF_THE_EXCHANGE: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers that are sent, by lower case name. */
export function requestHeaders(
  given: Readonly<Record<string, string>>,
  userAgent: string,
): Readonly<Record<string, string>> {
  const named = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    'user-agent': userAgent,
    accept: '*/*',
    ...Object.fromEntries(named.filter(([name]) => !OF_THE_EXCHANGE.has(name))),
    // Nothing is asked to be compressed: it would only have to be bounded twice.
    'accept-encoding': 'identity',
  };
}

export function headersAfterRedirect(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name)));
}

/** The answer's headers by lower case name; repeated ones are joined by a comma. */
export function headersOf(response: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
    const name = (response.rawHeaders[index] ?? '').toLowerCase();
    const value = response.rawHeaders[index + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

export function isRedirect(response: IncomingMessage): boolean {
  return REDIRECT_STATUSES.has(response.statusCode ?? 0);
}

/** Whether a redirect repeats the request as it was: 307 and 308 do, the older ones turn all but GET and HEAD into GET. */
export function keepsMethod(status: number, method: string): boolean {
  return status === 307 || status === 308 || method === 'GET' || method === 'HEAD';
}
