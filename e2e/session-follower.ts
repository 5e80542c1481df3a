import type Anthropic from '@anthropic-ai/sdk';

const RECONNECT_DELAY_MS = 50;

/** Follows a session by streams, each from the last event of the one before it, until it is closed. */
export class SessionFollower {
  /** Ids of events, as they came. */
  readonly seen: string[] = [];
  private readonly ending = new AbortController();

  /**
   * @param from the id of the event after which it begins
   * @param onEvent told of each event
   */
  constructor(
    private readonly client: Anthropic,
    private readonly sessionId: string,
    readonly from: string,
    private readonly onEvent: (event: object) => void = () => undefined,
  ) {
    void this.follow();
  }

  close(): void {
    this.ending.abort();
  }

  private async follow(): Promise<void> {
    while (!this.ending.signal.aborted) {
      try {
        const stream = await this.client.beta.sessions.events.stream(
          this.sessionId,
          {},
          { headers: { 'last-event-id': this.seen.at(-1) ?? this.from }, signal: this.ending.signal },
        );
        for await (const event of stream) {
          if (!('id' in event)) continue;
          this.seen.push(event.id);
          this.onEvent(event);
        }
      } catch {
        // The replica is gone, or the stream was cut: another one is opened from where this one was.
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_DELAY_MS));
    }
  }
}
