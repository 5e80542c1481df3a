import { until } from '@sluice/event-log/conformance';
import { createPubSubClient, EventsPubSubError, type EventsPubSubClient } from '@sluice/sandbox-events-client';
import { CuttableProxy } from './proxy';
import { range } from './raw-client';
import { forgeToken, TestService } from './service';

let service: TestService;
let proxy: CuttableProxy;
let client: EventsPubSubClient;

beforeEach(async () => {
  service = await TestService.start({ limits: { sweepMs: 10 } });
  proxy = await CuttableProxy.start(service.port);
});
afterEach(async () => {
  await client.disconnect();
  proxy.stop();
  await service.stop();
});

/** The project's own client, and the numbers of the events that it emits. */
function follow(accessToken: string, options: { sandboxId?: string; reconnectDelay?: number } = {}) {
  client = createPubSubClient({
    host: '127.0.0.1',
    port: proxy.port,
    accessToken,
    sandboxId: 'box-1',
    reconnectDelay: 5,
    ...options,
  });
  const numbers: number[] = [];
  const happened: string[] = [];
  client.on('event', ({ data }) => numbers.push(Number(data['n'])));
  client.on('connect', () => happened.push('connect'));
  client.on('disconnect', () => happened.push('disconnect'));
  client.on('reset', () => happened.push('reset'));
  client.on('error', (error) => happened.push(error instanceof EventsPubSubError ? (error.code ?? 'none') : 'other'));
  return { numbers, happened };
}

describe('the project client', () => {
  it('connects, gets events in order, pings, and leaves in an orderly way', async () => {
    const { numbers, happened } = follow(await service.token());
    await client.connect();
    await service.appendNumbers(1, 100);
    await until(() => numbers.length === 100, 'the events');
    expect(numbers).toEqual(range(1, 100));
    await client.ping();
    await client.disconnect();
    await until(async () => (await service.metric('sluice_pubsub_connections')) === 0, 'the end');
    expect(await service.metric('sluice_pubsub_connections_ended_total', 'client')).toBe(1);
    expect(happened).toEqual(['connect']);
  });

  it.each(['fin', 'rst'] as const)('resumes after a %s without a gap and without a duplicate (G2, G5)', async (how) => {
    const { numbers, happened } = follow(await service.token());
    await client.connect();
    for (let round = 0; round < 5; round++) {
      await service.appendNumbers(round * 40 + 1, 20);
      await until(() => numbers.length >= round * 40 + 1, 'an event of the round');
      const connects = () => happened.filter((word) => word === 'connect').length;
      const before = connects();
      proxy.cut(how);
      await service.appendNumbers(round * 40 + 21, 20);
      await until(() => connects() > before, 'the reconnect');
    }
    await until(() => numbers.length >= 200, 'all events');
    expect(numbers).toEqual(range(1, 200));
    expect(happened).not.toContain('reset');
  });

  it.each([
    ['unauthorized', async () => service.token('box-2')],
    ['unauthorized', async () => service.token('box-1', 2).then((token) => `${token}x`)],
    ['unauthorized', async () => forgeToken({ sandboxId: 'box-1', workspaceId: 1, exp: 4e9 }, 'none')],
    ['token_expired', async () => forgeToken({ sandboxId: 'box-1', workspaceId: 1, exp: 1_000 })],
  ])('has its connect() settled by a refusal: %s', async (code, makeToken) => {
    follow(await makeToken());
    await expect(client.connect()).rejects.toMatchObject({ code });
  });

  it('is told when its token expires, and goes on with a new one where it was', async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const { numbers, happened } = follow(forgeToken({ sandboxId: 'box-1', workspaceId: 1, exp: nowSeconds - 3 }));
    await client.connect();
    await service.appendNumbers(1, 3);
    await until(() => client.getState() === 'error', 'the end of the token');
    expect(happened).toContain('token_expired');
    await service.appendNumbers(4, 3);
    client.setAccessToken(await service.token());
    await client.connect();
    await until(() => numbers.length >= 6, 'the rest');
    expect(numbers).toEqual(range(1, 6));
  });

  it('is told of a shutdown, and goes on trying', async () => {
    const { happened } = follow(await service.token());
    await client.connect();
    await service.stop();
    await until(() => happened.includes('disconnect'), 'the end');
    expect(happened).toEqual(['connect', 'shutting_down', 'disconnect']);
    expect(client.getState()).not.toBe('error');
  });
});
