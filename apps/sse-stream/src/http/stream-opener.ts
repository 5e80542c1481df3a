import { limitKeyOf, type CallerLimiter, type ConnectionLease, type Principal } from '@sluice/access';
import type { EventFeed } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import { encodeCursor, type EventFilter, type SluiceError, type StartPlace } from '@sluice/event-log';
import type { FastifyReply } from 'fastify';
import type { SseStreamConfig } from '../config';
import type { OpenStreams } from '../open-streams';
import type { SseStreamSignals } from '../signals';
import { EventStream } from './event-stream';
import type { SseDialect } from './sse-dialect';

/** What all stream doors need. */
export interface StreamPorts {
  readonly feed: EventFeed;
  readonly gatekeeper: HttpGatekeeper;
  readonly limiter: CallerLimiter;
  readonly streams: OpenStreams;
  readonly signals: SseStreamSignals;
  readonly config: SseStreamConfig;
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
  async open(plan: StreamPlan, reply: FastifyReply): Promise<void> {
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
      const stream = new EventStream(subscription, response, signals, { ...config, ...plan });
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
function beginResponse(reply: FastifyReply, headers: Readonly<Record<string, string>>): FastifyReply['raw'] {
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  return response.writeHead(200, headers);
}
