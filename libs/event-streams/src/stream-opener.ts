import type { ServerResponse } from 'node:http';
import {
  limitKeyOf,
  type CallerLimiter,
  type ConnectionLease,
  type CredentialWatch,
  type Principal,
} from '@sluice/access';
import type { EventFeed, FeedEvent } from '@sluice/delivery';
import { encodeCursor, type EventFilter, type SluiceError, type StartPlace } from '@sluice/event-log';
import { EventStream, type EventStreamOptions, type WriteBeside } from './event-stream';
import type { OpenStreams } from './open-streams';
import type { SseDialect } from './sse-dialect';
import type { StreamSignals } from './stream-signals';

/** A reply whose head can be written past the framework: one of Fastify. */
export interface HeldReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>;
}

/** Watches over the credential of a caller for as long as its stream is open. */
export interface CallerWatch {
  watch(principal: Principal, onEnded: (reason: SluiceError) => void): CredentialWatch;
}

/** How all streams of an app are written. */
export type StreamPacing = Pick<EventStreamOptions, 'retryMs' | 'stallTimeoutMs' | 'endGraceMs'>;

/** What all stream doors need. */
export interface StreamPorts {
  readonly feed: EventFeed;
  readonly gatekeeper: CallerWatch;
  readonly limiter: CallerLimiter;
  readonly streams: OpenStreams;
  readonly signals: StreamSignals;
  readonly config: StreamPacing;
}

/** One stream as its door wants it. The caller has been let in and may see what the filter shows. */
export interface StreamPlan {
  readonly principal: Principal;
  readonly filter: EventFilter;
  readonly start: StartPlace;
  readonly dialect: SseDialect;
  readonly headers: Readonly<Record<string, string>>;
  readonly heartbeatMs: number;
  readonly maxDurationMs?: number;
  /** Why the client's cursor was not even tried. */
  readonly resetReason?: string | undefined;
  /** Whether the stream ends with this event. */
  readonly isLast?: (event: FeedEvent) => boolean;
  /** What is written beside the events, and may be dropped; told how to when the stream begins, it gives how to stop. */
  readonly beside?: (write: WriteBeside) => () => void;
  /** How many streams the caller may have over all replicas. Absent: only those of this process are counted. */
  readonly sharedPool?: { readonly pool: string; readonly limit: number };
}

/** From an admitted request to the end of its stream: a slot, a subscription, a head, and then events. */
export class StreamOpener {
  constructor(private readonly ports: StreamPorts) {}

  /**
   * Resolves when the stream is over.
   * @throws SluiceError `too_many_connections`, and those of `EventFeed.subscribe`; only before the head is written
   */
  async open(plan: StreamPlan, reply: HeldReply): Promise<void> {
    const { feed, gatekeeper, streams, signals, config } = this.ports;
    const slot = await this.takeSlot(plan);
    try {
      const { filter, start } = plan;
      const caller = limitKeyOf(plan.principal);
      const subscription = await feed.subscribe({ filter, start, caller, stallTimeoutMs: config.stallTimeoutMs });
      const response = beginResponse(reply, {
        ...plan.headers,
        // Where it really begins, in the head too: for those who look before they read.
        'last-event-id': encodeCursor(subscription.startedAt),
      });
      const stream = new EventStream(subscription, response, signals, { ...pacingOf(config), ...plan });
      streams.add(stream);
      slot.whenLost((reason) => stream.dismiss(reason));
      await stream.run((onEnded) => gatekeeper.watch(plan.principal, onEnded));
    } finally {
      slot.release();
    }
  }

  private async takeSlot({ principal, sharedPool }: StreamPlan): Promise<StreamSlot> {
    const { limiter } = this.ports;
    if (!sharedPool) {
      const here = limiter.openConnection(principal);
      return { release: () => here.release(), whenLost: () => undefined };
    }
    // The slot may be lost before there is a stream to end.
    let lost: SluiceError | undefined;
    let tell = (reason: SluiceError): void => void (lost ??= reason);
    const lease = await limiter.openSharedConnection(principal, sharedPool, (reason) => tell(reason));
    return {
      release: () => lease.release(),
      whenLost: (listener) => {
        tell = listener;
        if (lost) listener(lost);
      },
    };
  }
}

interface StreamSlot extends ConnectionLease {
  /** Sets who is told, at most once, that the slot is gone. */
  whenLost(listener: (reason: SluiceError) => void): void;
}

/** Writes the head, with the headers that hooks have set before. From here on the response is ours alone. */
function beginResponse(reply: HeldReply, headers: Readonly<Record<string, string>>): ServerResponse {
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  return response.writeHead(200, headers);
}

/** Of a configuration that has more in it. */
function pacingOf({ retryMs, stallTimeoutMs, endGraceMs }: StreamPacing): StreamPacing {
  return { retryMs, stallTimeoutMs, endGraceMs };
}
