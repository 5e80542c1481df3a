import { SluiceError } from '@sluice/event-log';
import { eventEnvelopeSchema } from '@sluice/event-schema';
import type { FastifyRequest } from 'fastify';
import { idempotencyKeySchema, type RequestContext } from './event-drafts';

const traceparentSchema = eventEnvelopeSchema.shape.traceparent;

/**
 * Nothing is inflated here, so no small body can become a large one.
 * @throws SluiceError `unsupported_media_type`
 */
export function assertPlainBody({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    throw new SluiceError('unsupported_media_type', 'Bodies must not be compressed', {
      where: 'headers.content-encoding',
    });
  }
}

/**
 * What an admitted request says about all of its events.
 * @throws SluiceError `invalid_request`
 */
export function readContext({ principal, headers }: FastifyRequest): RequestContext {
  if (principal === undefined) throw new SluiceError('unauthorized', 'API key or access token required');
  const key = headers['idempotency-key'];
  if (key !== undefined && !idempotencyKeySchema.safeParse(key).success) {
    throw new SluiceError('invalid_request', 'Idempotency-Key must have 1 to 256 characters', {
      where: 'headers.idempotency-key',
    });
  }
  const traceparent = traceparentSchema.safeParse(headers['traceparent']);
  return {
    principal,
    nowMs: Date.now(),
    idempotencyKey: single(key),
    traceparent: traceparent.success ? traceparent.data : undefined,
  };
}

/** A header that is there once. */
export const single = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined);
