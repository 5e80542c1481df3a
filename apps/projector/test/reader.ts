import type { AppHost } from '@sluice/engine';
import type { StartPlace } from '@sluice/event-log';

/** What a subscriber is told, also after a reset. */
export class Reader {
  readonly ids: string[] = [];
  readonly positions: number[] = [];
  readonly texts: string[] = [];
  /** Why it was reset, or ended. */
  readonly resets: string[] = [];
  private readonly closing = new AbortController();

  static async start(host: AppHost, start: StartPlace, workspaceIds: readonly number[] = [1]): Promise<Reader> {
    const reader = new Reader();
    const { signal } = reader.closing;
    const subscription = await (await host.feed()).subscribe({ filter: { workspaceIds }, start, signal });
    if (subscription.reset) reader.resets.push(subscription.reset.reason);
    void (async () => {
      for await (const item of subscription) {
        if (item.kind === 'reset' || item.kind === 'end') reader.resets.push(item.reason);
        if (item.kind !== 'events') continue;
        for (const { json, event } of item.events) {
          reader.ids.push(event.id);
          reader.positions.push(event.position);
          reader.texts.push(json);
        }
      }
    })();
    return reader;
  }

  close(): void {
    this.closing.abort();
  }
}
