import type { OutboxEntry, SessionStore } from '@sluice/agent-sessions';
import { SluiceError, type DurableLog } from '@sluice/event-log';
import { MAX_EVENT_BYTES } from '@sluice/event-schema';
import type { SessionSignals } from '../signals';

/** Most events in one append. */
const MAX_APPEND_EVENTS = 500;

/** Most bytes in one append: the log takes it also while it has other work. */
const MAX_APPEND_BYTES = 4 * 1_048_576;

/** For so long after the log could not be reached commands are refused before they are decided. */
const AWAY_MS = 2_000;

/** An entry that waits for so long belongs to a process that died, or to an append that failed. */
const LEFT_BEHIND_MS = 2_000;

/** Most sessions that one sweep looks after, and how many at a time. */
const SWEEP_SESSIONS = 100;
const SWEPT_AT_ONCE = 8;

/** What is on its way to the log, of one session. */
interface Shipping {
  /** Began to read already: what is committed from now on is not sure to be in it. */
  readonly current: Promise<void>;
  /** For all who came since. */
  next: Promise<void> | undefined;
}

/**
 * Brings the outboxes of sessions to the durable log. Each append has what waits of its session, from the oldest on: so the
 * order in the log is that of the commits, whichever process appends first, and what comes twice has the same ids.
 */
export class OutboxShipper {
  private readonly shippings = new Map<string, Shipping>();
  private failedAtMs = -Infinity;

  constructor(
    private readonly store: Pick<SessionStore, 'outbox' | 'settle' | 'waitingOutboxes'>,
    private readonly log: Pick<DurableLog, 'append'>,
    private readonly signals: Pick<SessionSignals, 'appended' | 'appendFailed'>,
  ) {}

  /** @throws SluiceError `log_unavailable` while the log is known to be away */
  requireLog(): void {
    if (performance.now() - this.failedAtMs < AWAY_MS) {
      throw new SluiceError('log_unavailable', 'The durable log cannot be reached', { retryAfterMs: AWAY_MS });
    }
  }

  /**
   * Resolves when everything that was committed of the session before this call is in the log.
   * @throws SluiceError `log_unavailable`, `overloaded`, `read_model_unavailable`
   */
  ship(sessionId: string): Promise<void> {
    const shipping = this.shippings.get(sessionId);
    if (!shipping) return this.begin(sessionId);
    // After a failure as well: it is the same log, and this caller is told so at once.
    shipping.next ??= shipping.current.then(() => this.begin(sessionId));
    return shipping.next;
  }

  /**
   * Ships what was left behind. Gives whether there may be more.
   * @throws what the first session that could not be shipped was refused with, after the others
   */
  async sweep(signal: AbortSignal): Promise<boolean> {
    const sessionIds = await this.store.waitingOutboxes(LEFT_BEHIND_MS, SWEEP_SESSIONS);
    const left = [...sessionIds];
    const faults: unknown[] = [];
    const shipSome = async () => {
      for (let id = left.shift(); id !== undefined && !signal.aborted; id = left.shift()) {
        await this.ship(id).catch((error: unknown) => {
          faults.push(error);
          // No other session will fare better.
          if (isAway(error)) left.length = 0;
        });
      }
    };
    await Promise.all(Array.from({ length: SWEPT_AT_ONCE }, shipSome));
    if (faults.length > 0) throw faults[0];
    return !signal.aborted && sessionIds.length === SWEEP_SESSIONS;
  }

  private begin(sessionId: string): Promise<void> {
    const shipping: Shipping = { current: this.shipAll(sessionId), next: undefined };
    this.shippings.set(sessionId, shipping);
    const leave = (isDone: boolean) => {
      const isLast = !isDone || shipping.next === undefined;
      if (isLast && this.shippings.get(sessionId) === shipping) this.shippings.delete(sessionId);
    };
    shipping.current.then(
      () => leave(true),
      () => leave(false),
    );
    return shipping.current;
  }

  private async shipAll(sessionId: string): Promise<void> {
    for (;;) {
      const entries = await this.store.outbox(sessionId, MAX_APPEND_EVENTS, MAX_APPEND_BYTES);
      const last = entries.at(-1);
      if (last === undefined) return;
      await this.append(entries.map(({ event }) => event));
      await this.store.settle(sessionId, last.sequence);
      if (isAll(entries)) return;
    }
  }

  private async append(events: Parameters<DurableLog['append']>[0]): Promise<void> {
    try {
      await this.log.append(events);
    } catch (error) {
      if (isAway(error)) this.failedAtMs = performance.now();
      this.signals.appendFailed(error);
      throw error;
    }
    this.failedAtMs = -Infinity;
    this.signals.appended(events.length);
  }
}

function isAway(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'log_unavailable';
}

/** Whether one more would have been given, had there been one. */
function isAll(entries: readonly OutboxEntry[]): boolean {
  if (entries.length === MAX_APPEND_EVENTS) return false;
  const bytes = entries.reduce((sum, { event }) => sum + Buffer.byteLength(event.json), 0);
  return bytes + MAX_EVENT_BYTES <= MAX_APPEND_BYTES;
}
