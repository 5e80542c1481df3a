import type { CallerLimiter } from '@sluice/access';
import type { EventFeed } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import { encodeCursor } from '@sluice/event-log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SseStreamConfig } from '../config';
import type { OpenStreams } from '../open-streams';
import type { SseStreamSignals } from '../signals';
import { EventStream } from './event-stream';
import { readStreamRequest } from './stream-request';

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** `GET /v1/stream`: everything that the caller may see, by any filter, from any cursor on. */
export class StreamDoor {
  constructor(
    private readonly feed: EventFeed,
    private readonly gatekeeper: HttpGatekeeper,
    private readonly limiter: CallerLimiter,
    private readonly streams: OpenStreams,
    private readonly signals: SseStreamSignals,
    private readonly config: SseStreamConfig,
  ) {}

  register(fastify: FastifyInstance): void {
    fastify.get('/v1/stream', {
      config: { longLived: true },
      handler: (request, reply) => this.handle(request, reply),
    });
  }

  private async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const principal = await this.gatekeeper.admit(request);
    const { filter, start } = readStreamRequest(request.query, request.headers['last-event-id'], principal);
    const lease = this.limiter.openConnection(principal);
    try {
      const subscription = await this.feed.subscribe({ filter, start, stallTimeoutMs: this.config.stallTimeoutMs });
      reply.hijack();
      const response = reply.raw;
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) response.setHeader(name, value);
      // Where it really begins, in the head too: for those who look before they read.
      response.writeHead(200, { ...HEADERS, 'last-event-id': encodeCursor(subscription.startedAt) });
      const stream = new EventStream(subscription, response, this.signals, this.config);
      await this.streams.run(() => stream.run((onEnded) => this.gatekeeper.watch(principal, onEnded)));
    } finally {
      lease.release();
    }
  }
}
