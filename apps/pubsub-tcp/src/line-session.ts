import { limitKeyOf, type ConnectionLease, type Principal } from '@sluice/access';
import { endError, type FeedEvent, type Subscription } from '@sluice/delivery';
import {
  encodeCursor,
  parseStartPlace,
  SluiceError,
  toSluiceError,
  type EventFilter,
  type StartPlace,
} from '@sluice/event-log';
import {
  encodeLineError,
  encodeLineOk,
  encodeLinePong,
  encodeSimple,
  readLineCommand,
  type Command,
  type LineCommand,
  type ProtocolError,
} from '@sluice/resp-protocol';
import { readSandboxId } from './channel';
import { lineFrame, resetLine } from './event-frames';
import type { PubSubPorts, Session, Wire } from './session';
import { SubscriptionPump } from './subscription-pump';

interface ActiveSubscription {
  readonly principal: Principal;
  readonly lease: ConnectionLease;
  readonly subscription: Subscription;
  readonly pump: SubscriptionPump;
}

/**
 * The line dialect: one sandbox per connection. Its clients know `-ERR` as the only error and expect the connection to end
 * after it, so each error ends it.
 */
export class LineSession implements Session {
  private active: ActiveSubscription | undefined;
  private resumeFrom: StartPlace | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly ports: PubSubPorts,
  ) {}

  get principal(): Principal | undefined {
    return this.active?.principal;
  }

  get place() {
    return this.active?.subscription.position;
  }

  handle(command: Command): void | Promise<void> {
    const line = readLineCommand(command);
    if (line.kind === 'subscribe') return this.subscribe(line).catch((error: unknown) => this.fail(error));
    try {
      this.answer(line);
    } catch (error) {
      this.fail(error);
    }
  }

  encodeProtocolError({ message }: ProtocolError): Buffer {
    return encodeLineError(`invalid_request ${message}`);
  }

  heartbeat(nowMs: number): void {
    const { output } = this.wire;
    if (!this.active || output.isBlocked || nowMs - output.lastWriteMs < this.ports.limits.heartbeatMs) return;
    output.write(encodeSimple(`CURSOR ${encodeCursor(this.active.subscription.position)}`));
  }

  close(): void {
    const { active } = this;
    this.active = undefined;
    active?.pump.close();
    active?.lease.release();
  }

  private answer(line: Exclude<LineCommand, { kind: 'subscribe' }>): void {
    const { output } = this.wire;
    switch (line.kind) {
      case 'ping':
        return output.write(encodeLinePong());
      case 'unsubscribe':
        this.close();
        return output.write(encodeLineOk('unsubscribed'));
      case 'quit':
        return this.wire.quit(encodeLineOk());
      case 'resume':
        this.assertNotSubscribed();
        this.resumeFrom = parseStartPlace(line.cursor);
        return output.write(encodeLineOk('resume'));
      case 'invalid':
        throw new SluiceError('invalid_request', line.reason);
    }
  }

  private async subscribe(line: Extract<LineCommand, { kind: 'subscribe' }>): Promise<void> {
    this.assertNotSubscribed();
    const sandboxId = readSandboxId(line.sandboxId);
    const start = line.cursor === undefined ? (this.resumeFrom ?? 'latest') : parseStartPlace(line.cursor);
    const { principal, filter } = await this.admit(line.accessToken, sandboxId);
    if (!this.wire.isOpen) return;
    const lease = this.ports.gate.openConnection(principal);
    try {
      const subscription = await this.ports.feed.subscribe({
        filter,
        start,
        caller: limitKeyOf(principal),
        stallTimeoutMs: this.ports.limits.stallTimeoutMs,
      });
      if (!this.wire.isOpen) {
        subscription.close();
        lease.release();
        return;
      }
      this.begin(sandboxId, principal, lease, subscription);
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  private async admit(credential: string, sandboxId: string): Promise<{ principal: Principal; filter: EventFilter }> {
    const { gate } = this.ports;
    try {
      const principal = await gate.admit(this.wire.remoteAddress, credential);
      return { principal, filter: gate.sandboxFilter(principal, sandboxId) };
    } catch (error) {
      const { code } = toSluiceError(error);
      if (code === 'unauthorized' || code === 'token_expired') this.wire.authenticationFailed(code);
      throw error;
    }
  }

  private begin(sandboxId: string, principal: Principal, lease: ConnectionLease, subscription: Subscription): void {
    const { output } = this.wire;
    const { startedAt, reset } = subscription;
    const pump = new SubscriptionPump(
      subscription,
      output,
      {
        writeEvents: (events) => this.writeEvents(events),
        writeReset: ({ at, reason }) => output.write(resetLine(at, reason)),
        ended: (reason) => this.fail(endError(reason) ?? new SluiceError('internal', 'The subscription was closed')),
        failed: (error) => this.fail(error),
      },
      this.ports.limits.batchesPerTurn,
    );
    this.active = { principal, lease, subscription, pump };
    this.resumeFrom = undefined;
    output.write(
      encodeLineOk(`subscribed ${sandboxId} ${encodeCursor(startedAt)}`),
      ...(reset ? [resetLine(startedAt, reset.reason)] : []),
    );
    this.wire.subscribed(sandboxId);
    pump.start();
  }

  private writeEvents(events: readonly FeedEvent[]): void {
    this.wire.output.write(...events.map(lineFrame));
    this.ports.signals.delivered('line', events.length);
  }

  private assertNotSubscribed(): void {
    if (this.active) throw new SluiceError('invalid_request', 'This connection has a subscription; UNSUBSCRIBE first');
  }

  private fail(error: unknown): void {
    const known = toSluiceError(error);
    if (known.code === 'internal') this.ports.signals.fault(error);
    this.wire.end(known);
  }
}
