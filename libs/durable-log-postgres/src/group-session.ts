import { Client, type ClientConfig } from 'pg';
import { CONNECT_TIMEOUT_MS, HEARTBEAT_MS, RECONNECT_DELAY_MS, STANDBY_POLL_MS } from './options';
import { TRY_LOCK, UNLOCK_AND_TELL } from './sql';

export interface GroupSessionOptions {
  readonly clientConfig: ClientConfig;
  readonly channel: string;
  readonly listen: string;
  /** One session at a time is active under this name, among all processes. */
  readonly lockName: string;
  /** Hints with this payload are our own. */
  readonly writerId: string;
  onHint(): void;
  onActive(): void;
  onFault(error: unknown): void;
}

/** Payload of the hint that an active session went away. */
const RELEASED = 'released';

/**
 * The connection that a follower has to itself: it hears of appends by other processes, and its lock makes it the
 * active one of its group. With the connection the lock is gone; then it connects again and competes anew.
 */
export class GroupSession {
  private holdsLock = false;
  private closing = false;
  private interrupted = false;
  private resume: (() => void) | undefined;
  private readonly running: Promise<void>;

  constructor(private readonly options: GroupSessionOptions) {
    this.running = this.run();
  }

  get active(): boolean {
    return this.holdsLock && !this.closing;
  }

  /** Gives the lock back and lets another session know. Idempotent. */
  async close(): Promise<void> {
    this.closing = true;
    this.interrupt();
    await this.running;
  }

  private async run(): Promise<void> {
    let delayMs: number = RECONNECT_DELAY_MS.first;
    while (!this.closing) {
      try {
        await this.serve(() => (delayMs = RECONNECT_DELAY_MS.first));
      } catch (error) {
        this.options.onFault(error);
        await this.pause(delayMs);
        delayMs = Math.min(delayMs * 2, RECONNECT_DELAY_MS.maximum);
      }
    }
  }

  /** Resolves when it is closed; rejects when the connection is lost. */
  private async serve(onConnected: () => void): Promise<void> {
    const { clientConfig, listen, lockName, channel } = this.options;
    const client = new Client(clientConfig);
    let lost: Error | undefined;
    const lose = (error?: Error) => {
      lost ??= error ?? new Error('The connection of a follower ended');
      this.holdsLock = false;
      this.interrupt();
    };
    client.on('error', lose);
    client.on('end', () => lose());
    client.on('notification', ({ payload }) => this.hear(payload));
    try {
      await client.connect();
      await client.query(listen);
      onConnected();
      // Appends between the loss of the last connection and this one were not heard of.
      this.options.onHint();
      while (!this.closing && !lost) {
        if (this.holdsLock) await client.query('SELECT 1');
        else await this.tryLock(client);
        await this.pause(this.holdsLock ? HEARTBEAT_MS : STANDBY_POLL_MS);
      }
      if (this.holdsLock) await client.query(UNLOCK_AND_TELL, [lockName, channel, RELEASED]);
    } finally {
      this.holdsLock = false;
      await endWithin(client, CONNECT_TIMEOUT_MS);
    }
    if (lost && !this.closing) throw lost;
  }

  private async tryLock(client: Client): Promise<void> {
    const { rows } = await client.query<{ locked: boolean }>(TRY_LOCK, [this.options.lockName]);
    if (!rows[0]?.locked) return;
    this.holdsLock = true;
    this.options.onActive();
  }

  private hear(payload: string | undefined): void {
    if (payload === RELEASED) {
      if (!this.holdsLock) this.interrupt();
    } else if (payload !== this.options.writerId) {
      this.options.onHint();
    }
  }

  /** Ends the pause in hand, or the next one before it begins. */
  private interrupt(): void {
    this.interrupted = true;
    this.resume?.();
  }

  private async pause(durationMs: number): Promise<void> {
    if (!this.interrupted && !this.closing) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, durationMs);
        this.resume = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.resume = undefined;
    }
    this.interrupted = false;
  }
}

async function endWithin(client: Client, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([client.end().catch(() => undefined), timeout]);
  clearTimeout(timer);
}
