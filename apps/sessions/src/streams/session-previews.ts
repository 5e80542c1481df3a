import type { SessionDeltas, SessionScope } from '@sluice/agent-sessions';
import type { FeedEvent } from '@sluice/delivery';
import { PREVIEWED_SESSION_EVENT_TYPES, type PreviewedSessionEventType, type SessionDelta } from '@sluice/event-schema';
import type { SseDialect, WriteBeside } from '@sluice/event-streams';
import { encodeEvent } from '@sluice/sse-protocol';
import { EVENT_NAME } from './session-dialect';
import type { SessionStreamSignals } from './stream-signals';

/** Most events whose making one stream shows at a time; the oldest are shown no further. */
const MAX_OPEN_PREVIEWS = 100;

/** So many of the last whole events a stream remembers, of which nothing is shown any more. */
const MAX_WHOLE_EVENTS = 1_000;

/**
 * What became of one delta at one stream. `slow`: its subscriber leaves too much unread; `late`: the event is whole
 * already; `skipped`: the stream does not show its event, or no longer, because something before it was missing.
 */
export type DeltaOutcome = 'written' | 'slow' | 'late' | 'skipped';

interface Preview {
  readonly type: PreviewedSessionEventType;
  /** Entries of the content that have begun. */
  entries: number;
}

/**
 * What one stream shows of events while they are made. Of each event that is its start and then a beginning of its text
 * without a hole, and nothing once the event itself is written.
 */
export class SessionPreviews {
  private readonly open = new Map<string, Preview>();
  private readonly whole = new Set<string>();

  constructor(
    private readonly types: ReadonlySet<string>,
    private readonly signals: Pick<SessionStreamSignals, 'delta'>,
  ) {}

  /** From now on. Gives how to stop. */
  follow(deltas: SessionDeltas, scope: SessionScope, write: WriteBeside): () => void {
    return deltas.follow(scope, {
      onDeltas: (heard) => {
        for (const delta of heard) this.show(delta, write);
      },
      onGap: () => this.open.clear(),
    });
  }

  /** The dialect of a stream with previews: it notes which events are whole. */
  dialect(of: SseDialect): SseDialect {
    return {
      ...of,
      events: (events) => {
        for (const event of events) this.conclude(event);
        return of.events(events);
      },
    };
  }

  private show(delta: SessionDelta, write: WriteBeside): void {
    if (delta.type === 'event_start' && !this.types.has(delta.event.type)) return;
    const id = delta.type === 'event_start' ? delta.event.id : delta.event_id;
    const outcome = this.whole.has(id) ? 'late' : this.isNext(id, delta) ? this.write(delta, write) : 'skipped';
    // What comes after it would leave a hole.
    if (outcome !== 'written') this.open.delete(id);
    this.signals.delta(outcome);
  }

  /** Whether this is what comes next of its event; it counts as shown then. */
  private isNext(id: string, delta: SessionDelta): boolean {
    if (delta.type === 'event_start') {
      // Also of one that has begun: whoever makes it now begins anew.
      this.open.delete(id);
      this.open.set(id, { type: delta.event.type, entries: 0 });
      forgetOldest(this.open, MAX_OPEN_PREVIEWS);
      return true;
    }
    const preview = this.open.get(id);
    const { index = 0 } = delta.delta;
    if (preview?.type !== 'agent.message' || index > preview.entries) return false;
    preview.entries = Math.max(preview.entries, index + 1);
    return true;
  }

  private write(delta: SessionDelta, write: WriteBeside): DeltaOutcome {
    // Without an id: what a client resumes from is stored.
    return write(encodeEvent({ event: EVENT_NAME, data: JSON.stringify(delta) })) ? 'written' : 'slow';
  }

  private conclude({ event: { type, data } }: FeedEvent): void {
    if (!PREVIEWED_TYPES.has(type)) return;
    const id = String(data['id']);
    this.open.delete(id);
    this.whole.add(id);
    forgetOldest(this.whole, MAX_WHOLE_EVENTS);
  }
}

const PREVIEWED_TYPES: ReadonlySet<string> = new Set(PREVIEWED_SESSION_EVENT_TYPES);

function forgetOldest(kept: Map<string, unknown> | Set<string>, most: number): void {
  if (kept.size <= most) return;
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}
