import { whenExpired, type CallerLimiter, type Principal } from '@sluice/access';
import { endError, type EventFeed, type FeedEvent, type Subscription } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import { encodeCursor, SluiceError, type CursorPlace, type ResetReason } from '@sluice/event-log';
import { encodeComment, encodeCursorMark, encodeEvent, encodeJsonEvent, encodeRetry } from '@sluice/sse-protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { SseStreamConfig } from '../config';
import { readStreamRequest } from './stream-request';

/** Names the bytes of an event at this door: made once, written to every subscriber. */
const DIALECT = Symbol('sse');

const encode = (event: FeedEvent): Buffer => encodeJsonEvent(event.cursor, event.event.type, event.json);

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
      const subscription = await this.feed.subscribe({ filter, start });
      reply.hijack();
      await this.stream(principal, subscription, reply);
    } finally {
      lease.release();
    }
  }

  private async stream(principal: Principal, subscription: Subscription, reply: FastifyReply): Promise<void> {
    const response = reply.raw;
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
      subscription.close();
    });
    response.on('error', () => subscription.close());
    let expired = false;
    const expiry = whenExpired(principal, () => {
      expired = true;
      subscription.close();
    });
    const heartbeat = setInterval(() => beat(response, subscription), this.config.heartbeatMs);
    try {
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) response.setHeader(name, value);
      response.writeHead(200, HEADERS);
      response.write(encodeRetry(this.config.retryMs));
      if (subscription.reset) response.write(encodeReset(subscription.reset.reason, subscription.startedAt));
      else response.write(encodeCursorMark(encodeCursor(subscription.startedAt)));
      await pump(subscription, response, gone.signal);
    } finally {
      clearInterval(heartbeat);
      expiry.cancel();
      subscription.close();
    }
    if (expired)
      response.write(encodeEnd(new SluiceError('token_expired', 'The credential has expired'), subscription.position));
    response.end();
  }
}

/** Writes what the subscription gives, no faster than the subscriber reads. */
async function pump(subscription: Subscription, response: ServerResponse, gone: AbortSignal): Promise<void> {
  for await (const item of subscription) {
    if (gone.aborted) return;
    if (item.kind === 'events') {
      const frames = item.events.map((event) => event.encoded(DIALECT, encode));
      response.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
    } else if (item.kind === 'reset') {
      response.write(encodeReset(item.reason, item.at));
    } else if (item.kind === 'end') {
      const error = endError(item.reason);
      if (error) response.write(encodeEnd(error, item.at));
    }
    if (response.writableNeedDrain) await once(response, 'drain', { signal: gone }).catch(() => undefined);
  }
}

/** A comment for proxies, and the newest cursor for the client, unless it is behind with reading anyway. */
function beat(response: ServerResponse, subscription: Subscription): void {
  if (response.writableNeedDrain || response.writableEnded) return;
  response.write(Buffer.concat([encodeComment('heartbeat'), encodeCursorMark(encodeCursor(subscription.position))]));
}

function encodeReset(reason: ResetReason, at: CursorPlace): Buffer {
  const cursor = encodeCursor(at);
  return encodeEvent({ id: cursor, event: 'reset', data: JSON.stringify({ reason, cursor }) });
}

function encodeEnd(error: SluiceError, at: CursorPlace): Buffer {
  const cursor = encodeCursor(at);
  const data = JSON.stringify({ code: error.code, message: error.message, retryable: error.retryable, cursor });
  return encodeEvent({ id: cursor, event: 'end', data });
}
