import { encodeEnvelope, recordEnvelope, type RecordedEvent } from '@sluice/event-schema';
import {
  isSuccess,
  noticeBody,
  reachedProgress,
  retryDelayMs,
  webhookBody,
  type AttemptResult,
  type DeadLetter,
  type EndpointProgress,
  type RecordedDelivery,
  type WebhookEndpoint,
  type WebhookGrant,
} from '@sluice/webhook-delivery';
import { attemptEntry } from './attempt-entry';
import type { RunnerPorts } from './runner-ports';

/** Dead letters that are sent between live events, before those have their turn again. */
const REPLAYED_AT_ONCE = 10;
/** The status by which an application says that it wants no more. */
const GONE = 410;

export interface ReplayPorts {
  readonly endpoint: WebhookEndpoint;
  readonly grant: WebhookGrant;
  readonly ports: RunnerPorts;
  /** Whether it is kept. */
  readonly record: (delivery: RecordedDelivery) => Promise<boolean>;
  readonly progress: () => EndpointProgress;
  readonly signal: AbortSignal;
}

/** Dead letters of one endpoint that wait to be sent again. Each is sent once; after one that failed the others wait by the schedule. */
export class Replays {
  private failed = 0;
  private notBefore = 0;

  constructor(
    private readonly of: ReplayPorts,
    private isWaiting: boolean,
  ) {}

  get areDue(): boolean {
    return this.waitMs <= 0;
  }

  /** Until the next may be sent; infinite where none waits. */
  get waitMs(): number {
    return this.isWaiting ? this.notBefore - this.of.ports.clock.now() : Infinity;
  }

  notice(): void {
    this.isWaiting = true;
  }

  /** Sends some. Whether the endpoint is disabled by what it answered. */
  async send(): Promise<boolean> {
    const { ports, grant, signal } = this.of;
    const letters = await ports.store.replays(grant, REPLAYED_AT_ONCE);
    const events = await ports.reader.findByIds(letters.map(({ eventId }) => eventId));
    this.isWaiting = letters.length === REPLAYED_AT_ONCE;
    for (const [at, letter] of letters.entries()) {
      signal.throwIfAborted();
      const event = events.get(letter.eventId);
      const body = letter.notice ? noticeBody(letter.notice) : event && bodyOf(event);
      const outcome = await this.replay(letter, body);
      if (outcome === 'delivered') continue;
      this.isWaiting ||= at < letters.length - 1;
      return outcome === 'disabled';
    }
    return false;
  }

  private async replay(letter: DeadLetter, body: string | undefined): Promise<'delivered' | 'failed' | 'disabled'> {
    const { endpoint, ports, record, signal, progress } = this.of;
    const { deadLetterId, eventId, eventType, position } = letter;
    const at = ports.clock.now();
    // It may be kept no longer; the dead letter stays, for its owner to see.
    const result: AttemptResult =
      body === undefined
        ? { kind: 'unanswered', error: 'event_not_kept', durationMs: 0 }
        : await ports.sender.send({ endpoint, id: eventId, body, isRetry: true }, signal);
    const isDelivered = isSuccess(result);
    const isGone = result.kind === 'answered' && result.status === GONE;
    const outcome = isDelivered ? 'delivered' : isGone ? 'disabled' : 'failed';
    const told = { id: eventId, type: eventType, position };
    const nowMs = ports.clock.now();
    const isKept = await record({
      entry: attemptEntry('replay', told, result, { outcome }, { at, attempt: letter.attempts + 1 }),
      ...(isDelivered && { progress: reachedProgress(progress(), nowMs) }),
      ...(isGone && { disabled: { reason: 'gone', at: nowMs } }),
      replayed: { deadLetterId, isDelivered },
    });
    ports.signals.attempted('replay', outcome, result.durationMs);
    if (isGone && isKept) ports.signals.disabled(endpoint, 'gone');
    if (body !== undefined) this.pace(result, nowMs);
    // What is not kept is not known: whoever goes on looks again.
    return isKept || !isGone ? outcome : 'failed';
  }

  private pace(result: AttemptResult, nowMs: number): void {
    const { policy, clock } = this.of.ports;
    this.failed = isSuccess(result) ? 0 : this.failed + 1;
    const delayMs = this.failed === 0 ? 0 : retryDelayMs(this.failed, result, policy, () => clock.random());
    this.notBefore = nowMs + delayMs;
  }
}

function bodyOf(event: RecordedEvent): string {
  const { json } = recordEnvelope(encodeEnvelope(event), event);
  return webhookBody({ eventId: event.id, type: event.type, occurredAt: event.occurredAt, json });
}
