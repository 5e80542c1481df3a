import type { EventFeed, FoundEvents } from '@sluice/delivery';
import { SluiceError, type DurableLog } from '@sluice/event-log';
import {
  encodeEnvelope,
  MAX_EVENT_BYTES,
  type EncodedEnvelope,
  type EventEnvelope,
  type RecordedEvent,
} from '@sluice/event-schema';
import type { IngestSignals } from './signals';

/** What the caller waits for: the event is safe (`log`), or it can be read as well (`projected`). */
export type Ack = 'log' | 'projected';

/** An event to be stored. `where` names it in errors. */
export interface EventDraft {
  readonly envelope: EventEnvelope;
  /** The id comes from an idempotency key, so it may have been stored before. */
  readonly keyed: boolean;
  readonly where: string;
}

export interface StoredEvents {
  /** In the order of the drafts; for an event that was stored before, what was stored then, if that is kept. */
  readonly events: readonly EventEnvelope[];
  readonly outcome: StoredOutcome;
}

export const STORED_OUTCOMES = ['log', 'projected', 'pending', 'not_kept'] as const;

/**
 * - `log`, `projected`: what was asked for.
 * - `pending`: `projected` did not come in time.
 * - `not_kept`: some were stored before, and are kept no more, so that they cannot be read; nothing is pending.
 */
export type StoredOutcome = (typeof STORED_OUTCOMES)[number];

/** Stores events: in the durable log first, and then, unless the caller does not care, until they can be read. */
export class EventStore {
  constructor(
    private readonly log: DurableLog,
    private readonly feed: Pick<EventFeed, 'expect'>,
    private readonly options: { readonly projectionWaitMs: number },
    private readonly signals: IngestSignals,
  ) {}

  /**
   * Resolves when the durable log has all of the events (G1). When it rejects, some may be stored all the same: the
   * caller repeats with the same idempotency keys.
   * @throws SluiceError `payload_too_large`, `idempotency_conflict`, `log_unavailable`, `overloaded`
   */
  async store(drafts: readonly EventDraft[], ack: Ack): Promise<StoredEvents> {
    const encoded = drafts.map(encodeBounded);
    const events = drafts.map(({ envelope }) => envelope);
    if (ack === 'log') {
      await this.append(encoded);
      this.signals.stored(events.length, 'log');
      return { events, outcome: 'log' };
    }
    // Before the append: the projector may be quicker than the answer of the log.
    const expectation = this.feed.expect(events.map(({ id }) => id));
    let found: FoundEvents;
    try {
      await this.append(encoded);
      const startedAt = performance.now();
      found = await expectation.within(this.options.projectionWaitMs);
      this.signals.projectionTook(performance.now() - startedAt);
    } finally {
      expectation.cancel();
    }
    const outcome = outcomeOf(events, found);
    this.signals.stored(events.length, outcome);
    return { events: drafts.map((draft) => asStored(draft, found.events.get(draft.envelope.id))), outcome };
  }

  private async append(encoded: readonly EncodedEnvelope[]): Promise<void> {
    const startedAt = performance.now();
    await this.log.append(encoded);
    this.signals.appendTook(performance.now() - startedAt);
  }
}

function outcomeOf(events: readonly EventEnvelope[], { events: recorded, removed }: FoundEvents): StoredOutcome {
  const unread = events.filter(({ id }) => !recorded.has(id));
  if (unread.length === 0) return 'projected';
  return unread.every(({ id }) => removed.has(id)) ? 'not_kept' : 'pending';
}

function encodeBounded({ envelope, where }: EventDraft): EncodedEnvelope {
  const encoded = encodeEnvelope(envelope);
  const { json } = encoded;
  // UTF-8 has at most three bytes for each UTF-16 unit, so most events need not be measured.
  if (json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(json) > MAX_EVENT_BYTES) {
    throw new SluiceError('payload_too_large', `An event is at most ${MAX_EVENT_BYTES} bytes when encoded`, { where });
  }
  return encoded;
}

/** What was stored under the draft's id, which for a repeated key is the first event. */
function asStored({ envelope, keyed, where }: EventDraft, recorded: RecordedEvent | undefined): EventEnvelope {
  if (!keyed || recorded === undefined) return envelope;
  if (recorded.type !== envelope.type || JSON.stringify(recorded.data) !== JSON.stringify(envelope.data)) {
    throw new SluiceError('idempotency_conflict', 'This idempotency key was used for another event', { where });
  }
  return recorded;
}
