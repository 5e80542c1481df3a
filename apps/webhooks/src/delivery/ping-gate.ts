import { SluiceError } from '@sluice/event-log';

const WINDOW_MS = 60_000;
const MOST_PER_WINDOW = 10;

/** Bounds the tests that owners ask for, at this process: one at a time of an endpoint, and so many in a minute. */
export class PingGate {
  private readonly running = new Set<string>();
  /** When the last ones began, by endpoint: none is older than the window. */
  private readonly begun = new Map<string, readonly number[]>();

  /** @throws SluiceError `conflict` while one is going on, `rate_limited` beyond what a minute has */
  async pass<T>(endpointId: string, nowMs: number, ping: () => Promise<T>): Promise<T> {
    if (this.running.has(endpointId)) throw new SluiceError('conflict', 'A test of this endpoint is going on');
    this.forget(nowMs);
    const begun = this.begun.get(endpointId) ?? [];
    const [oldest = nowMs] = begun;
    if (begun.length >= MOST_PER_WINDOW) {
      const retryAfterMs = oldest + WINDOW_MS - nowMs;
      throw new SluiceError('rate_limited', `At most ${MOST_PER_WINDOW} tests of an endpoint in a minute`, {
        retryAfterMs,
      });
    }
    this.begun.set(endpointId, [...begun, nowMs]);
    this.running.add(endpointId);
    try {
      return await ping();
    } finally {
      this.running.delete(endpointId);
    }
  }

  private forget(nowMs: number): void {
    for (const [endpointId, begun] of this.begun) {
      const recent = begun.filter((atMs) => nowMs - atMs < WINDOW_MS);
      if (recent.length === 0) this.begun.delete(endpointId);
      else if (recent.length < begun.length) this.begun.set(endpointId, recent);
    }
  }
}
