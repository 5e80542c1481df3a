import type { SessionStore } from '@sluice/agent-sessions';
import { SluiceError, type DurableLog } from '@sluice/event-log';
import type { SessionSignals } from '../signals';

/** Most events in one append. */
const MAX_APPEND_EVENTS = 500;

/** For so long after a failed append commands are refused before they are decided. */
const AWAY_MS = 2_000;

/** An entry that waits for so long belongs to a process that died, or to an append that failed. */
const LEFT_BEHIND_MS = 2_000;

/** Most sessions that one sweep looks after. */
const SWEEP_SESSIONS = 100;

interface Shipping {
  readonly done: Promise<void>;
  /** Somebody committed after this shipping began to read: it has to look once more. */
  again: boolean;
}

/**
 * Brings the outboxes of sessions to the durable log. Each append has all that waits of its session, from the oldest on:
 * so the order in the log is that of the commits, whichever process appends first, and what comes twice has the same ids.
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
    if (shipping) {
      shipping.again = true;
      return shipping.done;
    }
    const started: Shipping = { done: this.run(sessionId, () => started), again: false };
    this.shippings.set(sessionId, started);
    return started.done;
  }

  /** Ships what was left behind. Gives whether there may be more. */
  async sweep(signal: AbortSignal): Promise<boolean> {
    const sessionIds = await this.store.waitingOutboxes(LEFT_BEHIND_MS, SWEEP_SESSIONS);
    for (const sessionId of sessionIds) {
      if (signal.aborted) return false;
      await this.ship(sessionId);
    }
    return sessionIds.length === SWEEP_SESSIONS;
  }

  private async run(sessionId: string, own: () => Shipping): Promise<void> {
    // Whoever asks while this runs has to find it in the map.
    await Promise.resolve();
    try {
      for (;;) {
        own().again = false;
        const entries = await this.store.outbox(sessionId, MAX_APPEND_EVENTS);
        const last = entries.at(-1);
        if (last) {
          await this.append(entries.map(({ event }) => event));
          await this.store.settle(sessionId, last.sequence);
        }
        if (entries.length < MAX_APPEND_EVENTS && !own().again) return;
      }
    } finally {
      this.shippings.delete(sessionId);
    }
  }

  private async append(events: Parameters<DurableLog['append']>[0]): Promise<void> {
    try {
      await this.log.append(events);
    } catch (error) {
      this.failedAtMs = performance.now();
      this.signals.appendFailed(error);
      throw error;
    }
    this.failedAtMs = -Infinity;
    this.signals.appended(events.length);
  }
}
