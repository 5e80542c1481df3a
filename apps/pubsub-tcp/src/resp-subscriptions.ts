import { limitKeyOf, type ConnectionLease, type Principal } from '@sluice/access';
import { endError, type FeedEvent, type Subscription } from '@sluice/delivery';
import { SluiceError, type CursorPlace, type EventFilter, type StartPlace } from '@sluice/event-log';
import {
  compileGlob,
  encodeBulk,
  encodeSubscription,
  MAX_GLOB_LENGTH,
  type GlobMatcher,
  type RespVersion,
} from '@sluice/resp-protocol';
import { channelOf, isPrefixedPattern, readChannel, sandboxIdOf } from './channel';
import { channelFrame, messageHeader, patternMessageHeader, payloadFrame, resetPayload } from './event-frames';
import type { PubSubPorts, Wire } from './session';
import { SubscriptionPump } from './subscription-pump';

/** A channel of SUBSCRIBE or a pattern of PSUBSCRIBE; its name is the text that the client sent, cursor and all. */
export type ChannelKind = 'channel' | 'pattern';

const CONFIRMATIONS = {
  channel: { opened: 'subscribe', closed: 'unsubscribe' },
  pattern: { opened: 'psubscribe', closed: 'punsubscribe' },
} as const;

interface Plan {
  readonly name: string;
  readonly filter: EventFilter;
  readonly start: StartPlace;
  readonly pattern?: { readonly matches: GlobMatcher; readonly isPrefixed: boolean };
}

interface OpenChannel {
  readonly plan: Plan;
  readonly subscription: Subscription;
  readonly lease: ConnectionLease | undefined;
  pump: SubscriptionPump | undefined;
}

/** The channels and patterns of one RESP connection, each a subscription of its own. */
export class RespSubscriptions {
  private readonly open = { channel: new Map<string, OpenChannel>(), pattern: new Map<string, OpenChannel>() };

  constructor(
    private readonly wire: Wire,
    private readonly ports: PubSubPorts,
    private readonly fail: (error: unknown) => void,
  ) {}

  get size(): number {
    return this.open.channel.size + this.open.pattern.size;
  }

  /** The place of the channel that is furthest behind: resuming there leaves no gap in any of them. */
  get place(): CursorPlace | undefined {
    let oldest: CursorPlace | undefined;
    for (const { subscription } of [...this.open.channel.values(), ...this.open.pattern.values()]) {
      const { position } = subscription;
      if (!oldest || position.position < oldest.position) oldest = position;
    }
    return oldest;
  }

  /** All of the names or none. Their events follow the confirmations. @throws SluiceError */
  async subscribe(
    kind: ChannelKind,
    names: readonly string[],
    principal: Principal,
    version: RespVersion,
  ): Promise<void> {
    const known = this.open[kind];
    const added = [...new Set(names)].filter((name) => !known.has(name));
    this.assertRoom(kind, added.length);
    const plans = added.map((name) => this.plan(kind, name, principal));
    this.ports.gate.takeRequest(principal);
    const opened = await this.openAll(plans, principal);
    if (!this.wire.isOpen) return opened.forEach(release);
    const byName = new Map(opened.map((channel) => [channel.plan.name, channel]));
    for (const name of names) {
      const channel = byName.get(name);
      if (channel && !known.has(name)) this.begin(kind, channel, version);
      this.wire.output.write(encodeSubscription(version, CONFIRMATIONS[kind].opened, name, this.size));
      this.tellReset(channel, kind, version);
      byName.delete(name);
    }
    for (const { pump } of opened) pump?.start();
  }

  /** Ends the named ones, or all of the kind, and confirms each. */
  unsubscribe(kind: ChannelKind, names: readonly string[], version: RespVersion): void {
    const known = this.open[kind];
    const confirmation = CONFIRMATIONS[kind].closed;
    const leaving = names.length > 0 ? names : [...known.keys()];
    for (const name of leaving) {
      const channel = known.get(name);
      known.delete(name);
      if (channel) release(channel);
      this.wire.output.write(encodeSubscription(version, confirmation, name, this.size));
    }
    if (leaving.length === 0) this.wire.output.write(encodeSubscription(version, confirmation, null, this.size));
  }

  close(): void {
    for (const channels of Object.values(this.open)) {
      channels.forEach(release);
      channels.clear();
    }
  }

  private assertRoom(kind: ChannelKind, added: number): void {
    const { channels, patterns } = this.ports.limits;
    if (kind === 'pattern' && this.open.pattern.size + added > patterns) {
      throw new SluiceError('too_many_connections', `At most ${patterns} patterns on one connection`);
    }
    if (this.size + added > channels) {
      throw new SluiceError('too_many_connections', `At most ${channels} channels on one connection`);
    }
  }

  private plan(kind: ChannelKind, text: string, principal: Principal): Plan {
    const { name, start } = readChannel(text);
    const { gate } = this.ports;
    if (kind === 'channel') {
      return { name: text, start, filter: gate.sandboxFilter(principal, sandboxIdOf(name)) };
    }
    const matches = compileGlob(name);
    if (!matches) throw new SluiceError('invalid_request', `A pattern has at most ${MAX_GLOB_LENGTH} characters`);
    const filter = gate.workspaceFilter(principal);
    return { name: text, start, filter, pattern: { matches, isPrefixed: isPrefixedPattern(name) } };
  }

  private async openAll(plans: readonly Plan[], principal: Principal): Promise<OpenChannel[]> {
    const { feed, gate, limits } = this.ports;
    const opened: OpenChannel[] = [];
    try {
      for (const plan of plans) {
        // The connection itself has a slot already; it stands for the first channel.
        const lease = this.size + opened.length > 0 ? gate.openConnection(principal) : undefined;
        const { filter, start } = plan;
        const subscription = await feed
          .subscribe({
            filter,
            start,
            caller: limitKeyOf(principal),
            maxQueuedBytes: limits.channelQueuedBytes,
            stallTimeoutMs: limits.stallTimeoutMs,
          })
          .catch((error: unknown) => {
            lease?.release();
            throw error;
          });
        opened.push({ plan, subscription, lease, pump: undefined });
      }
    } catch (error) {
      opened.forEach(release);
      throw error;
    }
    return opened;
  }

  private begin(kind: ChannelKind, channel: OpenChannel, version: RespVersion): void {
    const { output } = this.wire;
    const { subscription, plan } = channel;
    const write = kind === 'channel' ? this.channelWriter(plan, version) : this.patternWriter(plan, version);
    channel.pump = new SubscriptionPump(
      subscription,
      output,
      {
        writeEvents: write,
        writeReset: ({ at, reason }) =>
          output.write(...resetFrames(kind, plan.name, version, resetPayload(at, reason))),
        ended: (reason) => this.fail(endError(reason) ?? new SluiceError('internal', 'The subscription was closed')),
        failed: this.fail,
      },
      this.ports.limits.batchesPerTurn,
    );
    this.open[kind].set(plan.name, channel);
    this.wire.subscribed(plan.name);
  }

  private tellReset(channel: OpenChannel | undefined, kind: ChannelKind, version: RespVersion): void {
    if (!channel?.subscription.reset) return;
    const { subscription, plan } = channel;
    const payload = resetPayload(subscription.startedAt, channel.subscription.reset.reason);
    this.wire.output.write(...resetFrames(kind, plan.name, version, payload));
  }

  private channelWriter({ name }: Plan, version: RespVersion) {
    const header = messageHeader(version, name);
    return (events: readonly FeedEvent[]): void => {
      this.wire.output.write(...events.flatMap((event) => [header, payloadFrame(event)]));
      this.ports.signals.delivered('resp', events.length);
    };
  }

  private patternWriter({ name, pattern }: Plan, version: RespVersion) {
    const header = patternMessageHeader(version, name);
    const isPrefixed = pattern?.isPrefixed ?? false;
    // Events of one sandbox often follow each other.
    let last: { readonly entityId: string; readonly isMatch: boolean } | undefined;
    const isMatch = (entityId: string): boolean => {
      if (last?.entityId === entityId) return last.isMatch;
      last = { entityId, isMatch: pattern?.matches(channelOf(entityId, isPrefixed)) ?? false };
      return last.isMatch;
    };
    return (events: readonly FeedEvent[]): void => {
      const matching = events.filter(({ event }) => isMatch(event.entityId));
      this.wire.output.write(
        ...matching.flatMap((event) => [header, channelFrame(event, isPrefixed), payloadFrame(event)]),
      );
      this.ports.signals.delivered('resp', matching.length);
    };
  }
}

function resetFrames(kind: ChannelKind, name: string, version: RespVersion, payload: Buffer): Buffer[] {
  return kind === 'channel'
    ? [messageHeader(version, name), payload]
    : [patternMessageHeader(version, name), encodeBulk(name), payload];
}

function release({ subscription, pump, lease }: OpenChannel): void {
  if (pump) pump.close();
  else subscription.close();
  lease?.release();
}
