import { getWebSocketRpcClient } from 'viem/utils';
import { pause } from '../rpc/pause';
import type { RegistrySourceSignals } from '../signals';

export interface HeadSocketOptions {
  readonly url: string;
  /** A socket that is silent for longer is given up. */
  readonly silenceMs: number;
  readonly connectTimeoutMs: number;
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  readonly signals: RegistrySourceSignals;
  readonly onHead: () => void;
}

const MAX_DOUBLINGS = 16;
const KEEP_ALIVE_MS = 20_000;
/** A connection that is still being made cannot be cut off; it is closed as soon as it is there. */
const CLOSE_WAIT_MS = 1_000;

type Client = Awaited<ReturnType<typeof getWebSocketRpcClient>>;

/**
 * A WebSocket that announces new heads, connected again and again with back-off. What it says is never believed, only that
 * something is new; so it may be wrong, late or gone without harm.
 */
export class HeadSocket {
  private client: Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private attempt = 0;
  private failuresInRow = 0;
  private heardAt = 0;
  private connected = false;
  private closed = false;
  private connecting: Promise<void> = Promise.resolve();

  constructor(private readonly options: HeadSocketOptions) {}

  open(): void {
    if (this.closed) return;
    this.attempt += 1;
    const attempt = this.attempt;
    this.heardAt = performance.now();
    this.timer = setTimeout(() => this.lost(attempt, 'no connection in time'), this.options.connectTimeoutMs);
    this.timer.unref();
    this.connecting = this.connect(attempt).catch(() => this.lost(attempt, 'no connection'));
  }

  /** Gives the socket up if nothing was heard of it for too long. */
  check(): void {
    if (this.connected && performance.now() - this.heardAt > this.options.silenceMs) this.lost(this.attempt, 'silence');
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.drop();
    const connected = new AbortController();
    void this.connecting.then(() => connected.abort());
    await pause(CLOSE_WAIT_MS, connected.signal);
  }

  private async connect(attempt: number): Promise<void> {
    // viem hands out one client for the same parameters; its own reconnecting gives up, so it is switched off.
    const client = await getWebSocketRpcClient(this.options.url, {
      keepAlive: { interval: KEEP_ALIVE_MS },
      reconnect: false,
    });
    if (attempt !== this.attempt || this.closed) return client.close();
    this.client = client;
    client.request({
      body: { method: 'eth_subscribe', params: ['newHeads'] },
      onResponse: (message) => this.heard(attempt, message),
      onError: () => this.lost(attempt, 'the connection ended'),
    });
  }

  private heard(attempt: number, message: { readonly error?: unknown }): void {
    if (attempt !== this.attempt || this.closed) return;
    if (message.error !== undefined) return this.lost(attempt, 'the subscription was refused');
    clearTimeout(this.timer);
    this.heardAt = performance.now();
    this.failuresInRow = 0;
    if (!this.connected) {
      this.connected = true;
      this.options.signals.headsAnnounced({ connected: true });
    }
    this.options.onHead();
  }

  private lost(attempt: number, reason: string): void {
    if (attempt !== this.attempt || this.closed) return;
    const { backOffBaseMs, backOffMaxMs, signals } = this.options;
    this.attempt += 1;
    clearTimeout(this.timer);
    if (this.connected || this.failuresInRow === 0) signals.headsAnnounced({ connected: false, reason });
    this.connected = false;
    this.drop();
    const doubled = backOffBaseMs * 2 ** Math.min(this.failuresInRow, MAX_DOUBLINGS);
    this.failuresInRow += 1;
    this.timer = setTimeout(() => this.open(), Math.min(backOffMaxMs, doubled) * (0.75 + Math.random() / 2));
    this.timer.unref();
  }

  private drop(): void {
    const client = this.client;
    this.client = undefined;
    client?.close();
  }
}
