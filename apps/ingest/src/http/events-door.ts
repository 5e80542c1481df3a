import type { Principal } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { cloudEventFromHeaders, cloudEventMode, type EventEnvelope } from '@sluice/event-schema';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Ack, EventDraft, EventStore } from '../store-events';
import { draftFromCloudEvent, draftsFromCloudEvents } from './cloud-event-drafts';
import { draftsFromNative, idempotencyKeySchema, type RequestContext } from './event-drafts';

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** `POST /events`: one event, a batch, or CloudEvents in any of their three HTTP modes. */
export class EventsDoor {
  constructor(
    private readonly store: EventStore,
    private readonly gatekeeper: HttpGatekeeper,
    private readonly maxBodyBytes: number,
  ) {}

  register(fastify: FastifyInstance): void {
    fastify.post('/events', {
      bodyLimit: this.maxBodyBytes,
      // Strangers are turned away before their body is read.
      onRequest: async (request) => {
        request.principal = await this.gatekeeper.admit(request);
        assertPlainBody(request);
      },
      handler: (request, reply) => this.handle(request, reply),
    });
  }

  private async handle(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const ack = readAck(request.query);
    const { drafts, batch } = readDrafts(request);
    const { events, pending } = await this.store.store(drafts, ack);
    reply.code(pending ? 202 : 201).type('application/json');
    const stored = events.map(describe);
    return JSON.stringify({
      success: true,
      data: batch ? { events: stored, count: stored.length } : stored[0],
    });
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling, once the door has let it in. */
    principal?: Principal;
  }
}

function describe(event: EventEnvelope) {
  return { eventId: event.id, sandboxId: event.entityId, type: event.type, timestamp: event.occurredAt };
}

/** Nothing is inflated here, so no small body can become a large one. */
function assertPlainBody({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    throw new SluiceError('unsupported_media_type', 'Bodies must not be compressed', {
      where: 'headers.content-encoding',
    });
  }
}

function readAck(query: unknown): Ack {
  const ack = (query as Record<string, unknown>)['ack'];
  if (ack === undefined) return 'projected';
  if (ack === 'log' || ack === 'projected') return ack;
  throw new SluiceError('invalid_request', 'ack must be "log" or "projected"', { where: 'query.ack' });
}

function readDrafts(request: FastifyRequest): { drafts: EventDraft[]; batch: boolean } {
  const { headers, body } = request;
  const context = readContext(request);
  switch (cloudEventMode(headers['content-type'], single(headers['ce-specversion']))) {
    case 'structured':
      return { drafts: [draftFromCloudEvent(body, context)], batch: false };
    case 'binary':
      return { drafts: [draftFromCloudEvent(cloudEventFromHeaders(headers, body), context)], batch: false };
    case 'batch':
      return { drafts: draftsFromCloudEvents(body, context), batch: true };
    case 'none':
      return draftsFromNative(body, context);
  }
}

function readContext({ principal, headers }: FastifyRequest): RequestContext {
  if (principal === undefined) throw new SluiceError('unauthorized', 'API key or access token required');
  const key = headers['idempotency-key'];
  if (key !== undefined && !idempotencyKeySchema.safeParse(key).success) {
    throw new SluiceError('invalid_request', 'Idempotency-Key must have 1 to 256 characters', {
      where: 'headers.idempotency-key',
    });
  }
  const traceparent = single(headers['traceparent']);
  return {
    principal,
    nowMs: Date.now(),
    idempotencyKey: single(key),
    traceparent: traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined,
  };
}

const single = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined);
