import { SluiceError } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { connect, createServer } from 'node:net';
import { range, RawClient, subscribedClient } from './raw-client';
import { TestService, type TestServiceOptions } from './service';

let service: TestService;
let token: string;

async function start(options?: TestServiceOptions): Promise<void> {
  service = await TestService.start(options);
  token = await service.token();
}

afterEach(() => service.stop());

it('ends every connection on a line boundary with FIN when it stops', async () => {
  await start({ env: { SLUICE_DRAIN_SPREAD: '200ms' } });
  const subscribers = await Promise.all(range(0, 20).map(() => subscribedClient(service.port, token)));
  const strangers = range(0, 5).map(() => new RawClient(service.port));
  const redis = new RawClient(service.port);
  redis.command('AUTH', await service.apiKey());
  await redis.reply(0);
  await until(async () => (await service.metric('sluice_pubsub_connections')) === 26, 'all connections');
  await service.appendNumbers(1, 300);
  const stopped = service.stop();
  for (const { client } of subscribers) {
    // Input that the server has not read must not turn its FIN into a reset.
    for (let index = 0; index < 50; index++) client.send('PING');
    expect(await client.farewell()).toMatch(/^-ERR shutting_down /);
    expect(client.numbers).toEqual(range(1, client.numbers.length));
  }
  for (const client of strangers) expect(await client.farewell()).toMatch(/^-ERR shutting_down /);
  // A Redis client takes an error that no command asked for as a fault: FIN alone brings it back.
  expect(await redis.farewell()).toBe('+OK');
  await stopped;
  for (const client of [redis, ...strangers, ...subscribers.map(({ client }) => client)]) {
    await client.whenClosed();
    expect(client.error).toBeUndefined();
  }
  await expect(new Promise((_, reject) => connect(service.port, '127.0.0.1').on('error', reject))).rejects.toThrow(
    'ECONNREFUSED',
  );
});

it('does not wait for ever for a peer that does not close', async () => {
  await start({ limits: { stopGraceMs: 50 } });
  const client = new RawClient(service.port, { allowHalfOpen: true });
  client.send('PING');
  await client.line();
  await service.stop();
  expect(client.lines.at(-1)).toMatch(/^-ERR shutting_down /);
  client.destroy();
});

it('says which setting to change when the port is taken', async () => {
  await start();
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  const failure = await TestService.start({ env: { SLUICE_PUBSUB_PORT: String(port) } }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(SluiceError);
  expect(failure).toMatchObject({
    code: 'configuration',
    message: `port ${port} is taken: set SLUICE_PUBSUB_PORT`,
  });
  blocker.close();
});

it('serves health and metrics by HTTP', async () => {
  await start();
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
  expect((await fetch(`${service.url}/ready`)).status).toBe(200);
  const { client } = await subscribedClient(service.port, token);
  await service.appendNumbers(1, 3);
  await client.whenNumbers(3);
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).toContain('sluice_pubsub_connections{dialect="line"} 1');
  expect(metrics).toContain('sluice_pubsub_commands_total{dialect="line",command="subscribe"} 1');
  expect(metrics).toContain('sluice_pubsub_delivered_events_total{dialect="line"} 3');
  client.destroy();
});

it('ends a connection that never authenticates, and keeps one that has', async () => {
  await start({ limits: { sweepMs: 10, authenticationTimeoutMs: 3_000 } });
  const silent = new RawClient(service.port);
  const unfinished = new RawClient(service.port);
  unfinished.socket.write('SUBSCRIBE box-1 token\n');
  const { client } = await subscribedClient(service.port, token);
  for (const stranger of [silent, unfinished]) {
    expect(await stranger.farewell()).toMatch(/^-ERR unauthorized .*CR LF$/);
  }
  client.send('PING');
  expect(await client.line()).toBe('+PONG');
  client.destroy();
});

it('refuses connections beyond the maximum in words', async () => {
  await start({ env: { SLUICE_PUBSUB_MAX_CONNECTIONS: '2' } });
  const first = await subscribedClient(service.port, token);
  const second = await subscribedClient(service.port, token);
  expect(await new RawClient(service.port).farewell()).toMatch(/^-ERR too_many_connections /);
  first.client.destroy();
  await until(async () => (await service.metric('sluice_pubsub_connections')) === 1, 'room');
  const third = await subscribedClient(service.port, token);
  for (const { client } of [second, third]) client.destroy();
});

it('limits the streams of one caller, channels of RESP included', async () => {
  await start();
  const key = await service.apiKey(1, 'reader', 2);
  const { client } = await subscribedClient(service.port, key);
  const redis = new RawClient(service.port);
  redis.command('AUTH', key);
  redis.command('SUBSCRIBE', 'a');
  redis.command('SUBSCRIBE', 'b');
  await redis.reply(2);
  expect(redis.lines.at(-1)).toMatch(/^-ERR too_many_connections /);
  const refused = new RawClient(service.port);
  refused.send(`SUBSCRIBE box-1 ${key}`);
  expect(await refused.farewell()).toMatch(/^-ERR too_many_connections /);
  client.send('UNSUBSCRIBE');
  expect(await client.line()).toBe('+OK unsubscribed');
  const { client: next } = await subscribedClient(service.port, key);
  for (const open of [client, next, redis]) open.destroy();
});

it('limits the commands of a connection and slows down who guesses', async () => {
  await start({ limits: { commandBurst: 50, commandsPerSecond: 0.01 } });
  const busy = new RawClient(service.port);
  busy.send(...range(0, 200).map(() => 'PING'));
  expect(await busy.farewell()).toMatch(/^-ERR rate_limited /);
  expect(busy.lines.filter((line) => line === '+PONG')).toHaveLength(50);
  // Together, so that no pause between them refills what they may.
  const answers = await Promise.all(
    range(0, 200).map((guess) => {
      const client = new RawClient(service.port);
      client.send(`SUBSCRIBE box-1 guess-${guess}`);
      return client.farewell();
    }),
  );
  const codes = new Set(answers.map((answer) => answer.split(' ', 2)[1]));
  expect(codes).toEqual(new Set(['unauthorized', 'rate_limited']));
});

it('serves many connections at once, and forgets them when they have left', async () => {
  await start();
  const count = 400;
  const clients = (await Promise.all(range(0, count).map(() => subscribedClient(service.port, token)))).map(
    ({ client }) => client,
  );
  await service.appendNumbers(1, 20);
  for (const client of clients) await client.whenNumbers(20);
  expect(clients.every((client) => client.numbers.every((n, index) => n === index + 1))).toBe(true);
  for (const client of clients) client.socket.end();
  await until(async () => (await service.metric('sluice_pubsub_connections')) === 0, 'the end of all');
  expect((await service.host.feed()).counts.subscriptions).toBe(0);
  expect(service.host.limiter.openConnections).toBe(0);
  expect(await service.metric('sluice_pubsub_connections_destroyed_total')).toBe(0);
});

it('ends the streams of a key that is revoked, in either dialect, and no others', async () => {
  await start({ env: { SLUICE_KEY_CACHE_TTL: '1s' } });
  const apiKey = await service.apiKey();
  const line = await subscribedClient(service.port, apiKey);
  const other = await subscribedClient(service.port, await service.apiKey());
  const redis = new RawClient(service.port);
  redis.command('AUTH', apiKey);
  await redis.reply(0);
  const store = await service.host.engine.apiKeys();
  const access = await service.host.access();
  const { keyId = '' } = (await access.authenticate({ apiKey })) as { keyId?: string };
  await store.revoke({ keyId, workspaceId: 1 });
  for (const client of [line.client, redis]) expect(await client.farewell()).toMatch(/^-ERR unauthorized /);
  await service.appendNumbers(1, 1);
  await until(() => other.client.numbers.length === 1, 'the other key still follows');
});
