import { until } from '@sluice/event-log/conformance';
import { range, RawClient, subscribedClient } from './raw-client';
import { TestService, type TestServiceOptions } from './service';

let service: TestService;
let token: string;

async function start(options?: TestServiceOptions): Promise<void> {
  service = await TestService.start(options);
  token = await service.token();
}

afterEach(() => service.stop());

/** What the process calls when it stops this app's part of it. */
const stopPart = () => Promise.all((service.part.workers ?? []).map((worker) => worker.stop()));

describe('the feed that all apps of a process share', () => {
  it('serves on while and after this door drains', async () => {
    await start({ env: { SLUICE_DRAIN_SPREAD: '300ms' } });
    const feed = await service.host.feed();
    const neighbour = await feed.subscribe({
      filter: { workspaceIds: [1], families: ['sandbox'] },
      start: 'latest',
    });
    const subscribers = await Promise.all(range(0, 12).map(() => subscribedClient(service.port, token)));
    const stopped = stopPart();
    await until(() => subscribers.some(({ client }) => client.ended), 'the first end');
    const [open] = subscribers.filter(({ client }) => !client.ended);
    expect(open).toBeDefined();
    await service.appendNumbers(1, 1);
    await open?.client.whenNumbers(1);
    await stopped;
    for (const { client } of subscribers) expect(await client.farewell()).toMatch(/^-ERR shutting_down /);

    await service.appendNumbers(2, 1);
    const received: number[] = [];
    await until(() => {
      for (let item = neighbour.take(); item; item = neighbour.take()) {
        if (item.kind === 'events') received.push(item.events.length);
        expect(item.kind).not.toBe('end');
      }
      return received.reduce((sum, count) => sum + count, 0) === 2;
    }, 'the events of the neighbour');
    expect(feed.counts.subscriptions).toBe(1);
    neighbour.close();
  });

  it('may be stopped by a neighbour first: this door still ends on a boundary with a cursor', async () => {
    await start();
    const { client } = await subscribedClient(service.port, token);
    const redis = new RawClient(service.port);
    redis.command('AUTH', token);
    redis.command('SUBSCRIBE', 'box-1');
    await redis.reply(1);
    await service.appendNumbers(1, 10);
    await client.whenNumbers(10);
    await (await service.host.feed()).stop();
    const farewell = await client.farewell();
    expect(farewell).toMatch(/^-ERR shutting_down /);
    expect(farewell.split(' ').at(-1)).toBe(client.events.at(-1)?.cursor);
    await redis.farewell();
    expect(redis.replies.at(-1)).toEqual(['message', 'box-1', expect.stringContaining('"n":10')]);
    const late = new RawClient(service.port);
    late.send(`SUBSCRIBE box-1 ${token}`);
    expect(await late.farewell()).toMatch(/^-ERR shutting_down /);
    await stopPart();
    for (const each of [client, redis, late]) expect(each.error).toBeUndefined();
  });
});

describe('a stop', () => {
  it('is the same whoever asks, and ends though peers neither read nor close', async () => {
    await start({ limits: { stopGraceMs: 100 } });
    const deaf = await subscribedClient(service.port, token);
    deaf.client.socket.pause();
    const deadPeer = new RawClient(service.port, { allowHalfOpen: true });
    deadPeer.send('PING');
    await deadPeer.line();
    for (let n = 0; n < 40; n++) await service.appendNumbers(n * 4, 4, 'box-1', 60 * 1024);
    const [worker] = service.part.workers ?? [];
    expect(worker?.stop()).toBe(worker?.stop());
    await worker?.stop();
    await until(async () => (await service.metric('sluice_pubsub_connections')) === 0, 'the end of all');
    expect(await deadPeer.farewell()).toMatch(/^-ERR shutting_down /);
    for (const client of [deaf.client, deadPeer]) client.destroy();
  });

  it('reads away what a peer still sends, so that its FIN is no reset', async () => {
    await start();
    const { client } = await subscribedClient(service.port, token);
    const stopped = stopPart();
    // More than the receive buffer of the kernel holds; nobody takes these for commands any more.
    client.socket.write(Buffer.alloc(1024 * 1024, 'PING\r\n'));
    expect(await client.farewell()).toMatch(/^-ERR shutting_down /);
    await client.whenClosed();
    await stopped;
    expect(client.error).toBeUndefined();
    expect(client.lines.filter((line) => line === '+PONG')).toEqual([]);
  });
});
