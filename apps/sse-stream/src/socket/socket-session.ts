import { limitKeyOf, type CallerLimiter, type Principal } from '@sluice/access';
import type { EndReason, EventFeed, PresenceBoard } from '@sluice/delivery';
import { parseStartPlace, SluiceError, toSluiceError } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import { toEventFilter } from '../requested-filter';
import type { CloseReason } from './close-codes';
import { MAX_MESSAGE_BYTES, type SocketLimits } from './limits';
import {
  boundedText,
  socketClientMessageSchema,
  subscriptionIdSchema,
  type SocketClientMessage,
  type SocketServerMessage,
  type SubscribeMessage,
} from './messages';
import { parseJson } from './parse-json';
import type { Session, Wire } from './session';
import type { SocketSignals } from './socket-signals';
import { SocketSubscription } from './socket-subscription';
import { presencePlace, SubscriberPresence } from './subscriber-presence';
import { SubscriptionSlots } from './subscription-slots';

export interface SocketSessionPorts {
  readonly feed: EventFeed;
  readonly limiter: CallerLimiter;
  readonly presence: PresenceBoard;
  readonly limits: SocketLimits;
  readonly signals: SocketSignals;
}

interface Held {
  readonly subscription: SocketSubscription;
  readonly presence: SubscriberPresence | undefined;
}

/** What subscriptions are told when their connection is closed; other ends are no news about them. */
const LAST_WORDS: Partial<Record<CloseReason, SluiceError>> = {
  shutting_down: new SluiceError('shutting_down', 'The service is shutting down; resume from the last cursor'),
  slow_subscriber: new SluiceError('slow_subscriber', 'The subscriber did not keep up; resume from the last cursor'),
  token_expired: new SluiceError('token_expired', 'The credential has expired; resume with a new one'),
  revoked: new SluiceError('unauthorized', 'The credential was revoked'),
  rate_limited: new SluiceError('rate_limited', 'Too many messages on this connection'),
  internal: new SluiceError('internal', 'Internal error'),
};

/** `/v1/socket`: any number of subscriptions up to a limit, each with its own filter, cursor and credit. */
export class SocketSession implements Session {
  private readonly held = new Map<string, Held>();
  private readonly slots: SubscriptionSlots;

  constructor(
    private readonly wire: Wire,
    private readonly ports: SocketSessionPorts,
    private readonly principal: Principal,
  ) {
    this.slots = new SubscriptionSlots(ports.limiter, principal);
  }

  start(): void {
    const { messagesPerSecond, subscriptions, initialCredit, maxCredit, pingIntervalMs, stallTimeoutMs } =
      this.ports.limits;
    this.say({
      type: 'hello',
      limits: {
        messageBytes: MAX_MESSAGE_BYTES,
        messagesPerSecond,
        subscriptions,
        initialCredit,
        maxCredit,
        pingIntervalMs,
        stallTimeoutMs,
      },
    });
  }

  handle(text: string): void | Promise<void> {
    let id: string | undefined;
    let message: SocketClientMessage;
    try {
      const value = parseJson(text);
      id = idOf(value);
      message = validate(socketClientMessageSchema, value);
    } catch (error) {
      this.refuse(error, id);
      return this.wire.misunderstood();
    }
    this.wire.understood(message.type);
    try {
      return this.answer(message)?.catch((error: unknown) => this.refuse(error, id));
    } catch (error) {
      this.refuse(error, id);
    }
  }

  heartbeat(): void {
    for (const { subscription } of this.held.values()) subscription.heartbeat();
  }

  ending(reason: CloseReason): void {
    const error = LAST_WORDS[reason];
    if (error) for (const { subscription } of this.held.values()) subscription.end(error);
  }

  close(): void {
    for (const held of this.held.values()) release(held);
    this.held.clear();
  }

  private answer(message: SocketClientMessage): void | Promise<void> {
    switch (message.type) {
      case 'subscribe':
        return this.subscribe(message);
      case 'credit':
        return this.heldBy(message.id).subscription.grant(message.events);
      case 'unsubscribe':
        release(this.heldBy(message.id));
        this.held.delete(message.id);
        return this.say({ type: 'unsubscribed', id: message.id });
      case 'ping':
        return this.say({ type: 'pong' });
    }
  }

  private async subscribe({ id, filter = {}, cursor, credit, presence }: SubscribeMessage): Promise<void> {
    const { feed, limiter, limits } = this.ports;
    this.assertRoomFor(id);
    const eventFilter = toEventFilter(this.principal, filter, 'filter');
    const place = presence && presencePlace(this.principal, presence, filter.workspaceId);
    const start = cursor === undefined ? 'latest' : parseStartPlace(cursor);
    limiter.takeRequest(this.principal);
    const lease = this.slots.take();
    const subscription = await feed
      .subscribe({
        filter: eventFilter,
        start,
        caller: limitKeyOf(this.principal),
        stallTimeoutMs: limits.stallTimeoutMs,
      })
      .catch((error: unknown) => {
        lease.release();
        throw error;
      });
    const opened = new SocketSubscription({
      ...this.ports,
      id,
      credit: credit ?? limits.initialCredit,
      subscription,
      lease,
      wire: this.wire,
      say: (message) => this.say(message),
      onEnded: (reason) => this.ended(id, reason),
    });
    if (!this.wire.isOpen) return opened.close();
    const present = place && new SubscriberPresence(id, this.wire, limits);
    this.held.set(id, { subscription: opened, presence: present });
    opened.start();
    if (place) {
      present?.join(this.ports.presence, place, presence.name).catch((error: unknown) => this.refuse(error, id));
    }
  }

  private assertRoomFor(id: string): void {
    const { subscriptions } = this.ports.limits;
    if (this.held.has(id)) {
      throw new SluiceError('conflict', 'A subscription of this connection has this id', { where: 'id' });
    }
    if (this.held.size >= subscriptions) {
      throw new SluiceError('too_many_connections', `At most ${subscriptions} subscriptions on one connection`);
    }
  }

  private heldBy(id: string): Held {
    const held = this.held.get(id);
    if (!held) throw new SluiceError('not_found', 'No subscription of this connection has this id', { where: 'id' });
    return held;
  }

  private ended(id: string, reason: EndReason): void {
    const held = this.held.get(id);
    this.held.delete(id);
    if (held) release(held);
    if (reason === 'shutting_down') this.wire.end('shutting_down');
  }

  private refuse(error: unknown, id: string | undefined): void {
    if (!(error instanceof SluiceError)) this.ports.signals.fault(error);
    const { code, message, retryable, where, retryAfterMs } = toSluiceError(error);
    this.say({
      type: 'error',
      code,
      message: boundedText(message),
      retryable,
      ...(where !== undefined && { where }),
      ...(id !== undefined && { id }),
      ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    });
  }

  private say(message: SocketServerMessage): void {
    this.wire.output.writeText(JSON.stringify(message));
  }
}

/** The id that a message names, if it is one, whatever else is wrong with it. */
function idOf(value: unknown): string | undefined {
  const named: unknown = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  const parsed = subscriptionIdSchema.safeParse(named);
  return parsed.success ? parsed.data : undefined;
}

function release({ subscription, presence }: Held): void {
  subscription.close();
  presence?.leave();
}
