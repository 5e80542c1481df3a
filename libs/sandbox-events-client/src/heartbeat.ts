import { MAX_PENDING_PINGS } from './constants';
import { EventsPubSubError, toError } from './errors';

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** What a heartbeat needs from its connection. */
export interface HeartbeatOptions {
  /** Time between two PINGs in milliseconds; 0 = only those of `ping()`. */
  intervalMs: number;
  /** How long a PING may stay without any byte from the server, in milliseconds. */
  timeoutMs: number;
  sendPing: () => void;
  /** Called once the server has been silent for too long. */
  onSilent: (error: EventsPubSubError) => void;
}

/** Sends PINGs, matches the answers in order, and notices a peer that is gone without a word. */
export class Heartbeat {
  private readonly waiting: (Waiter | undefined)[] = [];
  private interval: ReturnType<typeof setInterval> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private suspended = false;

  constructor(private readonly options: HeartbeatOptions) {}

  start(): void {
    if (this.options.intervalMs > 0) this.interval = setInterval(() => this.send(undefined), this.options.intervalMs);
  }

  /** Sends a PING; resolves with its answer, rejects when the connection ends first. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.send({ resolve, reject });
    });
  }

  /** Bytes came: the peer lives. */
  heard(): void {
    clearTimeout(this.silence);
    this.silence = undefined;
  }

  /** An answer to the oldest PING came. */
  pong(): void {
    this.waiting.shift()?.resolve();
  }

  /** While nothing is read, silence means nothing. */
  setSuspended(suspended: boolean): void {
    this.suspended = suspended;
    if (suspended) this.heard();
    else if (this.waiting.length > 0) this.watch();
  }

  /** Ends for good; answers that are still awaited are rejected with the reason. */
  stop(reason: unknown): void {
    clearInterval(this.interval);
    this.heard();
    this.suspended = true;
    for (const waiter of this.waiting.splice(0)) waiter?.reject(toError(reason));
  }

  private send(waiter: Waiter | undefined): void {
    if (this.waiting.length >= MAX_PENDING_PINGS) {
      this.waiting.shift()?.reject(new EventsPubSubError('No answer to PING', { code: 'ping_unanswered' }));
    }
    this.waiting.push(waiter);
    this.options.sendPing();
    this.watch();
  }

  private watch(): void {
    if (this.suspended || this.silence !== undefined) return;
    const { timeoutMs, onSilent } = this.options;
    this.silence = setTimeout(() => {
      onSilent(
        new EventsPubSubError(`Heartbeat timeout: no data within ${timeoutMs}ms`, { code: 'heartbeat_timeout' }),
      );
    }, timeoutMs);
  }
}
