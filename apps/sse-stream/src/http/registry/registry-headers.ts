import type { CallerLimiter, Principal } from '@sluice/access';
import type { FastifyReply } from 'fastify';

/** The head of a stream, beyond what every answer of this door has. */
export const REGISTRY_STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-store, must-revalidate',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
  'access-control-allow-headers': 'Content-Type, X-API-Key',
  vary: 'Origin',
} as const;

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
} as const;

/** On every answer of this door, refusals too. */
export function setSecurityHeaders(reply: FastifyReply): void {
  reply.headers(SECURITY_HEADERS);
}

/** How many requests the caller may still make. Not on a 401: nobody is counted there. */
export function setRateHeaders(reply: FastifyReply, limiter: CallerLimiter, principal: Principal): void {
  const { limit, remaining, resetAtMs } = limiter.remaining(principal);
  reply.headers({
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(resetAtMs / 1_000)),
  });
}
