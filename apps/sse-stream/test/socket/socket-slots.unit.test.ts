import { until } from '@sluice/event-log/conformance';
import type { SocketClient } from './socket-client';
import { range, sandboxEvent, startSockets, type SocketService } from './socket-service';

describe('the slots of a connection to /v1/socket', () => {
  let service: SocketService;
  let client: SocketClient;

  beforeEach(async () => {
    service = await startSockets();
    client = await service.connect('/v1/socket');
  });
  afterEach(() => service.stop());

  const slots = () => service.host.limiter.openConnections;
  let answers = { subscribed: 0, unsubscribed: 0 };
  beforeEach(() => void (answers = { subscribed: 0, unsubscribed: 0 }));
  const subscribe = async (id: string, more: object = {}) => {
    client.say({ type: 'subscribe', id, ...more });
    await client.receives('subscribed', ++answers.subscribed);
  };
  const unsubscribe = async (id: string) => {
    client.say({ type: 'unsubscribe', id });
    await client.receives('unsubscribed', ++answers.unsubscribed);
  };

  it('are as many as its subscriptions, and one without any, in whatever order they go (G9)', async () => {
    expect(slots()).toBe(1);
    for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
      for (const id of 'abc') await subscribe(id);
      expect(slots()).toBe(3);
      for (const [gone, id] of [...order].entries()) {
        await unsubscribe(id);
        expect(slots()).toBe(Math.max(1, 2 - gone));
      }
    }
    await subscribe('a');
    expect(slots()).toBe(1);
    client.destroy();
    await until(() => slots() === 0, 'nothing is kept');
  });

  it('are given back by subscriptions that end by themselves', async () => {
    await subscribe('a', { credit: 0 });
    await subscribe('b', { filter: { types: ['never'] } });
    for (const n of range(1, 12)) await service.record(sandboxEvent({ data: { n, filler: 'x'.repeat(200_000) } }));
    expect(await client.receives('ended')).toMatchObject({ id: 'a', code: 'slow_subscriber' });
    expect(slots()).toBe(1);
    client.say({ type: 'credit', id: 'b', events: 1 });
    client.say({ type: 'ping' });
    await client.receives('pong');
    expect(client.of('error')).toEqual([]);
  });

  it('are not taken by a subscription that is refused', async () => {
    await subscribe('a');
    client.say({ type: 'subscribe', id: 'b', cursor: 'not-a-cursor' });
    await client.receives('error');
    expect(slots()).toBe(1);
    await subscribe('b');
    expect(slots()).toBe(2);
  });

  it('let a key have no more subscriptions than it has slots (G9)', async () => {
    client = await service.connect('/v1/socket', { key: await service.key({ limits: { connections: 2 } }) });
    for (const id of 'abc') client.say({ type: 'subscribe', id });
    expect(await client.receives('error')).toMatchObject({ code: 'too_many_connections', id: 'c' });
    // The one that goes first stood on the slot of the connection.
    client.say({ type: 'unsubscribe', id: 'a' });
    client.say({ type: 'subscribe', id: 'd' });
    expect(await client.receives('subscribed', 3)).toMatchObject({ id: 'd' });
    client.say({ type: 'subscribe', id: 'e' });
    expect(await client.receives('error', 2)).toMatchObject({ code: 'too_many_connections', id: 'e' });
  });
});
