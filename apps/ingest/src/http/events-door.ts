import type { Principal } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { toSluiceError } from '@sluice/event-log';
import type { EventEnvelope } from '@sluice/event-schema';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IngestSignals } from '../signals';
import type { Ack, EventDraft, EventStore, StoredEvents } from '../store-events';
import { readAck } from './ack';
import { assertPlainBody } from './append-request';
import type { DraftsOfRequest } from './event-drafts';

/** What one path takes, from whom, and how it calls what it stored. */
export interface EventsRoute {
  readonly path: string;
  /** Called before the body is read. @throws SluiceError `forbidden` */
  assertMayAppend(principal: Principal): void;
  /** @throws SluiceError for what is not to be stored */
  readDrafts(request: FastifyRequest): DraftsOfRequest;
  /** An event that was stored, as the answer tells it. */
  describe(event: EventEnvelope): object;
}

/** Takes events by POST and stores them, one route of it each. */
export class EventsDoor {
  constructor(
    private readonly store: EventStore,
    private readonly gatekeeper: HttpGatekeeper,
    private readonly maxBodyBytes: number,
    private readonly signals: IngestSignals,
    private readonly routes: readonly EventsRoute[],
  ) {}

  register(fastify: FastifyInstance): void {
    for (const route of this.routes) {
      fastify.post(route.path, {
        bodyLimit: this.maxBodyBytes,
        // Strangers are turned away before their body is read.
        onRequest: async (request) => {
          const principal = await this.gatekeeper.admit(request);
          request.principal = principal;
          route.assertMayAppend(principal);
          assertPlainBody(request);
        },
        handler: (request, reply) => this.handle(route, request, reply),
      });
    }
  }

  private async handle(route: EventsRoute, request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const ack = readAck(request.query);
    const { drafts, batch } = route.readDrafts(request);
    if (request.principal) this.gatekeeper.takeEvents(request.principal, drafts.length);
    const { events, outcome } = await this.storeAndTell(request.id, drafts, ack);
    reply.code(outcome === 'pending' || outcome === 'not_kept' ? 202 : 201).type('application/json');
    const stored = events.map((event) => route.describe(event));
    return JSON.stringify({
      success: true,
      data: batch ? { events: stored, count: stored.length } : stored[0],
    });
  }

  private async storeAndTell(requestId: string, drafts: readonly EventDraft[], ack: Ack): Promise<StoredEvents> {
    const facts = { requestId, eventIds: drafts.map(({ envelope }) => envelope.id) };
    try {
      const stored = await this.store.store(drafts, ack);
      this.signals.answered(facts, stored.outcome);
      return stored;
    } catch (error) {
      this.signals.failed(facts, toSluiceError(error));
      throw error;
    }
  }
}
