import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError, toSluiceError } from '@sluice/event-log';
import { cloudEventFromHeaders, cloudEventMode, eventEnvelopeSchema, type EventEnvelope } from '@sluice/event-schema';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IngestSignals } from '../signals';
import type { Ack, EventDraft, EventStore, StoredEvents } from '../store-events';
import { draftFromCloudEvent, draftsFromCloudEvents } from './cloud-event-drafts';
import { draftsFromNative, idempotencyKeySchema, type RequestContext } from './event-drafts';

const traceparentSchema = eventEnvelopeSchema.shape.traceparent;
/** Most characters of a foreign parameter's name that are repeated to the caller. */
const MAX_SHOWN_NAME_LENGTH = 64;

/** `POST /events`: one event, a batch, or CloudEvents in any of their three HTTP modes. */
export class EventsDoor {
  constructor(
    private readonly store: EventStore,
    private readonly gatekeeper: HttpGatekeeper,
    private readonly maxBodyBytes: number,
    private readonly signals: IngestSignals,
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
    if (request.principal) this.gatekeeper.takeEvents(request.principal, drafts.length);
    const { events, pending } = await this.storeAndTell(request.id, drafts, ack);
    reply.code(pending ? 202 : 201).type('application/json');
    const stored = events.map(describe);
    return JSON.stringify({
      success: true,
      data: batch ? { events: stored, count: stored.length } : stored[0],
    });
  }

  private async storeAndTell(requestId: string, drafts: readonly EventDraft[], ack: Ack): Promise<StoredEvents> {
    const facts = { requestId, eventIds: drafts.map(({ envelope }) => envelope.id) };
    try {
      const stored = await this.store.store(drafts, ack);
      this.signals.answered(facts, stored.pending);
      return stored;
    } catch (error) {
      this.signals.failed(facts, toSluiceError(error));
      throw error;
    }
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
  const { ack, ...others } = query as Record<string, unknown>;
  // A misspelt `ack` must not turn into another promise than the one that was asked for.
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const where = `query.${unknown.slice(0, MAX_SHOWN_NAME_LENGTH)}`;
    throw new SluiceError('invalid_request', 'The only parameter is "ack"', { where });
  }
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
  const traceparent = traceparentSchema.safeParse(headers['traceparent']);
  return {
    principal,
    nowMs: Date.now(),
    idempotencyKey: single(key),
    traceparent: traceparent.success ? traceparent.data : undefined,
  };
}

const single = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined);
