import { fastifyCors } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** The item of `SLUICE_CORS_ORIGINS` that means every origin. */
export const ANY_ORIGIN = '*';

/** One origin as browsers send it: scheme, host and port, in lower case, without a slash at the end. */
export const ORIGIN_PATTERN = /^(?:\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@,A-Z]+)$/;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const ALLOWED_HEADERS = [
  'Content-Type',
  'Authorization',
  'X-API-Key',
  'X-API-Version',
  'X-Request-ID',
  'Idempotency-Key',
  'Last-Event-ID',
  // Those of the Anthropic SDK, which apps of sessions serve.
  'User-Agent',
  'Anthropic-Version',
  'Anthropic-Beta',
  'Anthropic-Workspace-ID',
  'Anthropic-Dangerous-Direct-Browser-Access',
  'X-Stainless-Lang',
  'X-Stainless-Package-Version',
  'X-Stainless-OS',
  'X-Stainless-Arch',
  'X-Stainless-Runtime',
  'X-Stainless-Runtime-Version',
  'X-Stainless-Retry-Count',
  'X-Stainless-Timeout',
  'X-Stainless-Helper',
  'X-Stainless-Helper-Method',
  'Traceparent',
  'Tracestate',
  'Baggage',
];
const EXPOSED_HEADERS = [
  'X-Request-ID',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'X-Next-Cursor',
  'Last-Event-ID',
  'Request-ID',
  'Retry-After-Ms',
  'X-Should-Retry',
];
const MAX_AGE_SECONDS = 86_400;

/**
 * Lets web pages of the given origins read every answer, errors too, and answers their preflights before anything asks who
 * calls. Cookies and other credentials that a browser adds by itself are never allowed.
 */
export async function allowOrigins(fastify: FastifyInstance, origins: readonly string[]): Promise<void> {
  await fastify.register(fastifyCors, {
    origin: origins.includes(ANY_ORIGIN) ? ANY_ORIGIN : [...origins],
    methods: METHODS,
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE_SECONDS,
    // An OPTIONS of another kind is told the same.
    strictPreflight: false,
  });
}
