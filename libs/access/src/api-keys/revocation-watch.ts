import type { Clock } from '../clock';
import { isInForce } from './api-key-record';
import { MAX_LISTED_KEYS, type ApiKeyStore } from './api-key-store';
import { withDeadline } from './with-deadline';

/** Shortest time between two looks at the store, however short keys are cached. */
export const MIN_CHECK_INTERVAL_MS = 1_000;

/** What one look at the store brought. */
export interface KeyCheck {
  /** How many keys were asked for. */
  readonly keys: number;
  /** How many streams, or other things that keys opened, were told to end. */
  readonly ended: number;
  /** The store's fault, if it did not answer; everything stays open then and the next look asks again. */
  readonly error?: unknown;
}

export interface RevocationWatchOptions {
  /** Time between two looks at the store. */
  readonly intervalMs: number;
  /** After it a look counts as failed. */
  readonly lookupTimeoutMs: number;
  readonly clock: Clock;
  /** Told of each key that is found to be no longer in force, before what it opened is. */
  onRevoked(keyId: string): void;
  onCheck?(check: KeyCheck): void;
}

/**
 * Notices that API keys are revoked while something that they opened is still open. It asks for all of them together,
 * `MAX_LISTED_KEYS` per question, once per interval, and not at all while nothing is open.
 */
export class RevocationWatch {
  private readonly watched = new Map<string, Set<() => void>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isChecking = false;

  constructor(
    private readonly store: ApiKeyStore,
    private readonly options: RevocationWatchOptions,
  ) {}

  /** How many different keys have something open. */
  get size(): number {
    return this.watched.size;
  }

  /**
   * Calls back, at most once, when the key is no longer in force. Gives the way to stop watching; it must not throw.
   */
  add(keyId: string, onRevoked: () => void): () => void {
    const listeners = this.watched.get(keyId) ?? new Set();
    // A function of its own: the same callback may be added twice.
    const listener = () => onRevoked();
    listeners.add(listener);
    this.watched.set(keyId, listeners);
    this.schedule();
    return () => this.remove(keyId, listener);
  }

  /** Looks at one key now, if anything of it is open. Never rejects. */
  async checkNow(keyId: string): Promise<void> {
    if (this.watched.has(keyId)) await this.check([keyId]);
  }

  private remove(keyId: string, listener: () => void): void {
    const listeners = this.watched.get(keyId);
    if (listeners?.delete(listener) === true && listeners.size === 0) this.watched.delete(keyId);
    if (this.watched.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private schedule(): void {
    if (this.timer !== undefined || this.isChecking || this.watched.size === 0) return;
    this.timer = setTimeout(() => void this.checkAll(), this.options.intervalMs);
    if (typeof this.timer === 'object') this.timer.unref();
  }

  private async checkAll(): Promise<void> {
    this.timer = undefined;
    this.isChecking = true;
    const keyIds = [...this.watched.keys()];
    for (let first = 0; first < keyIds.length; first += MAX_LISTED_KEYS) {
      await this.check(keyIds.slice(first, first + MAX_LISTED_KEYS));
    }
    this.isChecking = false;
    this.schedule();
  }

  private async check(keyIds: readonly string[]): Promise<void> {
    const { lookupTimeoutMs, clock, onCheck } = this.options;
    let ended = 0;
    try {
      const records = await withDeadline(this.store.findByIds(keyIds), lookupTimeoutMs);
      const now = clock();
      const inForce = new Set(records.filter((record) => isInForce(record, now)).map((record) => record.keyId));
      for (const keyId of keyIds) if (!inForce.has(keyId)) ended += this.end(keyId);
      onCheck?.({ keys: keyIds.length, ended });
    } catch (error) {
      onCheck?.({ keys: keyIds.length, ended, error });
    }
  }

  private end(keyId: string): number {
    this.options.onRevoked(keyId);
    const listeners = [...(this.watched.get(keyId) ?? [])];
    for (const listener of listeners) {
      this.remove(keyId, listener);
      listener();
    }
    return listeners.length;
  }
}
