import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, toHttpError } from './http-errors';
import type { Logger } from './logger';
import { REQUEST_ID_HEADER } from './request-id';
import { securityHeadersOf } from './security-headers';

/** How much of a refused body is read and thrown away, so that a caller that is still sending can read the answer. */
const DISCARD_MAX_BYTES = 64 * 1_048_576;
const DISCARD_MAX_MS = 2_000;

/** The headers of every answer, but those that a route sets itself. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header(REQUEST_ID_HEADER, request.id);
  reply.headers(securityHeadersOf(request.raw.socket));
}

/** Answers any thrown value as JSON; the one way that errors leave by HTTP, for Nest handlers and bare Fastify routes. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const answer = toHttpError(error);
  if (answer.status >= 500) {
    const line = answer.code === 'internal' || answer.code === 'configuration' ? 'error' : 'warn';
    logger[line]('request error', {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      code: answer.code,
      error,
    });
  }
  if (reply.sent || reply.raw.headersSent) {
    // The head of the answer is out, so breaking off is the only way left to say that it is not whole.
    reply.raw.destroy();
    return;
  }
  setCommonHeaders(request, reply);
  reply.code(answer.status).header('content-type', 'application/json; charset=utf-8');
  if (answer.retryAfterMs !== undefined) {
    reply.header('retry-after', String(Math.max(1, Math.ceil(answer.retryAfterMs / 1_000))));
  }
  reply.raw.once('finish', () => endBody(request.raw));
  void reply.send(errorBody(answer, request.id));
}

/** Throws away what still comes of a body that was refused unread, and cuts the connection when it does not end soon. */
function endBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, DISCARD_MAX_MS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

/**
 * Reads a refused body to its end before the answer, within limits: closing a connection with unread bytes resets it, and
 * the caller would see a broken connection in place of the answer.
 */
export function discardBody(request: IncomingMessage, done: () => void): void {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (request.complete || request.destroyed || announced > DISCARD_MAX_BYTES) {
    done();
    return;
  }
  let discardedBytes = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off('data', count).off('end', finish).off('close', finish);
    done();
  };
  const count = (chunk: Buffer | string): void => {
    discardedBytes += chunk.length;
    if (discardedBytes > DISCARD_MAX_BYTES) finish();
  };
  const timer = setTimeout(finish, DISCARD_MAX_MS);
  // Who was to read it has let go of it.
  request.unpipe().on('data', count).on('end', finish).on('close', finish).resume();
}
