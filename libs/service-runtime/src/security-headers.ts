import { TLSSocket } from 'node:tls';

/**
 * What browsers are told with every answer. Answers are data, never a page: nothing in them may run, be framed, be loaded as
 * a script or an image of another site, or tell another site where its reader comes from. What a page reads by `fetch` or
 * `EventSource` is for CORS to decide and is not touched by `Cross-Origin-Resource-Policy`.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Added where the connection itself is TLS; where a proxy ends TLS, it is the proxy that says so. */
export const TRANSPORT_SECURITY: Readonly<Record<string, string>> = {
  'strict-transport-security': 'max-age=31536000',
};

const WITH_TLS: Readonly<Record<string, string>> = { ...SECURITY_HEADERS, ...TRANSPORT_SECURITY };

/** The headers for what is answered on a connection. */
export function securityHeadersOf(socket: unknown): Readonly<Record<string, string>> {
  return socket instanceof TLSSocket ? WITH_TLS : SECURITY_HEADERS;
}
