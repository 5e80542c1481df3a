import { type LogFollower } from '@sluice/event-log';
import { ConsumerSession, type ConsumerSessionOptions } from './consumer-session';
import { Backoff, pause } from './waiting';

const REOPEN_DELAY_MS = { first: 200, maximum: 2_000 } as const;

/** Follows with one consumer after the other: whatever kills one, the next takes its place after a bounded back-off. */
export class KafkaFollower implements LogFollower {
  private readonly stopping = new AbortController();
  private session: ConsumerSession | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly options: ConsumerSessionOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.session?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    const backoff = new Backoff(REOPEN_DELAY_MS);
    const { signal } = this.stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    while (!signal.aborted) {
      const session = new ConsumerSession(this.options);
      this.session = session;
      try {
        await Promise.race([session.open(), stopped]);
        backoff.reset();
        await Promise.race([session.failed, stopped]);
      } catch (error) {
        if (!signal.aborted) this.options.follow.onFault?.(error);
      }
      await session.close();
      if (!signal.aborted) await pause(backoff.next(), signal);
    }
  }
}
