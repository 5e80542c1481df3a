import { Client } from 'pg';
import { RECORDED_CHANNEL } from './record-transaction';

/** Waits between attempts to listen again. A lost hint costs latency only: publishers also look from time to time. */
const RECONNECT_DELAY_MS = 1_000;
/** A network that swallows everything must not hold up those who start or close. */
const CONNECT_TIMEOUT_MS = 3_000;

/** One connection that listens for announcements of commits, and connects again when it is lost. */
export class RecordedListener {
  private readonly listeners = new Set<() => void>();
  private client: Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private connecting: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly databaseUrl: string) {}

  async add(listener: () => void): Promise<{ stop(): Promise<void> }> {
    this.listeners.add(listener);
    this.connecting ??= this.connect();
    await this.connecting;
    return { stop: async () => void this.listeners.delete(listener) };
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    this.listeners.clear();
    await this.connecting;
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.databaseUrl,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('notification', () => this.notify());
    // Both events may come, for one loss: the second one finds `this.client` changed.
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    this.client = client;
    try {
      await client.connect();
      await client.query(`LISTEN ${RECORDED_CHANNEL}`);
      // Whatever was announced while nobody listened.
      this.notify();
    } catch {
      this.lost(client);
    }
  }

  private lost(client: Client): void {
    if (this.client !== client || this.closed) return;
    this.client = undefined;
    client.end().catch(() => undefined);
    this.retry = setTimeout(() => {
      this.connecting = this.connect();
    }, RECONNECT_DELAY_MS);
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}
