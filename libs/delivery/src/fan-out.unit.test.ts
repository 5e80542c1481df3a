import { until } from '@sluice/event-log/conformance';
import { numbers, World } from '../test/world';
import type { FeedEvent } from './feed-event';

const SUBSCRIBERS = 1_000;

describe('fan-out', () => {
  it('gives a thousand subscribers the same bytes, encoded once, and forgets them when they leave', async () => {
    const world = new World();
    await world.feed.start();
    let encodings = 0;
    const dialect = Symbol('line');
    const encode = ({ json }: FeedEvent) => {
      encodings++;
      return Buffer.from(`${json}\n`);
    };
    const written = numbers(1, SUBSCRIBERS).map((): Buffer[] => []);
    const subscriptions = await Promise.all(
      written.map(async (buffers, n) => {
        const filter = n % 2 === 0 ? { workspaceIds: [1] } : { workspaceIds: [1], entityIds: ['sandbox-123', 'b'] };
        const subscription = await world.feed.subscribe({ filter, start: 'latest' });
        subscription.onReadable(() => {
          for (let item = subscription.take(); item; item = subscription.take()) {
            if (item.kind === 'events') for (const event of item.events) buffers.push(event.encoded(dialect, encode));
          }
        });
        return subscription;
      }),
    );
    for (let n = 0; n < 10; n++) await world.publishMany(2);
    await until(() => written.every((buffers) => buffers.length === 20), 'everyone has everything');
    expect(encodings).toBe(20);
    const [first = []] = written;
    expect(written.every((buffers) => buffers.every((bytes, n) => bytes === first[n]))).toBe(true);
    expect(world.feed.counts).toMatchObject({ subscriptions: SUBSCRIBERS, liveSubscriptions: SUBSCRIBERS });
    for (const subscription of subscriptions) subscription.close();
    expect(world.feed.counts).toMatchObject({ subscriptions: 0, liveSubscriptions: 0 });
    await world.feed.stop();
  });
});
