import type { EndReason, EventFeed, FeedEvent, Subscription } from '@sluice/delivery';
import { encodeCursor, SluiceError, toSluiceError, type EventFilter, type StartPlace } from '@sluice/event-log';
import type { WorkspaceChannel } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import type { CloseReason } from './close-codes';
import { channelOf, workspaceEventMessage } from './frames';
import type { SocketLimits } from './limits';
import { boundedText, workspaceClientMessageSchema, type WorkspaceServerMessage } from './messages';
import { parseJson } from './parse-json';
import type { Session, Wire } from './session';
import type { SocketSignals } from './socket-signals';
import { SubscriptionPump, type PumpSink } from './subscription-pump';

export interface WorkspaceSessionPorts {
  readonly feed: EventFeed;
  readonly limits: SocketLimits;
  readonly signals: SocketSignals;
}

export interface WorkspaceSessionRequest {
  readonly filter: EventFilter;
  readonly start: StartPlace;
  /** On whose behalf the feed reads. */
  readonly caller: string;
  /** It knows of cursors, so it is told where it begins before there is an event. */
  readonly namedCursor: boolean;
}

/** What the public user interface keeps its connection alive with. */
const BARE_PING = 'ping';

const CLOSE_FOR: Readonly<Record<EndReason, CloseReason | undefined>> = {
  slow_subscriber: 'slow_subscriber',
  shutting_down: 'shutting_down',
  failed: 'unavailable',
  closed: undefined,
};

/** `/ws`: the events of one workspace, all of them or those of the channels that the client holds. */
export class WorkspaceSession implements Session {
  private readonly channels = new Set<WorkspaceChannel>();
  private pump: SubscriptionPump | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly ports: WorkspaceSessionPorts,
    private readonly request: WorkspaceSessionRequest,
  ) {}

  async start(): Promise<void> {
    const { filter, start, caller, namedCursor } = this.request;
    const { feed, limits } = this.ports;
    try {
      const subscription = await feed.subscribe({ filter, start, caller, stallTimeoutMs: limits.stallTimeoutMs });
      if (!this.wire.isOpen) return subscription.close();
      const cursor = encodeCursor(subscription.startedAt);
      if (subscription.reset) this.say({ type: 'Reset', data: { reason: subscription.reset.reason, cursor } });
      else if (namedCursor) this.say({ type: 'Connected', data: { cursor } });
      this.pump = this.pumpOf(subscription);
      this.pump.start();
    } catch (error) {
      const { code } = toSluiceError(error);
      if (code === 'internal') this.wire.failed(error);
      else this.wire.end(code === 'shutting_down' ? 'shutting_down' : 'unavailable');
    }
  }

  handle(text: string): void {
    if (text.trim() === BARE_PING) {
      this.wire.understood('Ping');
      return this.say({ type: 'Pong' });
    }
    try {
      this.answer(text);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const { code, message, where } = error;
      this.say({ type: 'Error', data: { message: boundedText(message), code, ...(where !== undefined && { where }) } });
      this.wire.misunderstood();
    }
  }

  heartbeat(): void {
    // The peer is pinged; this dialect has no word of its own for it.
  }

  ending(): void {
    // The close frame says it all: each event had its cursor.
  }

  close(): void {
    this.pump?.close();
  }

  private answer(text: string): void {
    const message = validate(workspaceClientMessageSchema, parseJson(text));
    this.wire.understood(message.type);
    switch (message.type) {
      case 'Ping':
        return this.say({ type: 'Pong' });
      case 'Subscribe':
        for (const channel of message.data.channels) this.channels.add(channel);
        return this.say({ type: 'Subscribed', data: { channels: [...this.channels] } });
      case 'Unsubscribe':
        for (const channel of message.data.channels) this.channels.delete(channel);
        return this.say({ type: 'Unsubscribed', data: { channels: [...this.channels] } });
    }
  }

  private pumpOf(subscription: Subscription): SubscriptionPump {
    const { wire } = this;
    const sink: PumpSink = {
      room: Infinity,
      writeEvents: (events) => this.writeEvents(events),
      writeReset: ({ reason, at }) => this.say({ type: 'Reset', data: { reason, cursor: encodeCursor(at) } }),
      writeCaughtUp: () => undefined,
      ended: (reason) => {
        const close = CLOSE_FOR[reason];
        if (close) wire.end(close);
      },
      failed: (error) => wire.failed(error),
    };
    return new SubscriptionPump(subscription, wire.output, sink, this.ports.limits.batchesPerTurn);
  }

  private writeEvents(events: readonly FeedEvent[]): void {
    const { channels } = this;
    const wanted = channels.size === 0 ? events : events.filter((event) => channels.has(channelOf(event)));
    this.wire.output.writeMessages(wanted.map(workspaceEventMessage));
    this.ports.signals.delivered('workspace', wanted.length);
  }

  private say(message: WorkspaceServerMessage): void {
    this.wire.output.writeText(JSON.stringify(message));
  }
}
