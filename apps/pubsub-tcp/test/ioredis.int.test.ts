import { until } from '@sluice/event-log/conformance';
import Redis from 'ioredis';
import { range, type ReceivedEvent } from './raw-client';
import { TestService } from './service';

let service: TestService;
let apiKey: string;

beforeAll(async () => {
  service = await TestService.start();
  apiKey = await service.apiKey();
});
afterAll(() => service.stop());

function messagesOf(redis: Redis): { channel: string; event: ReceivedEvent }[] {
  const messages: { channel: string; event: ReceivedEvent }[] = [];
  redis.on('message', (channel: string, text: string) => messages.push({ channel, event: JSON.parse(text) }));
  redis.on('pmessage', (_pattern, channel: string, text: string) =>
    messages.push({ channel, event: JSON.parse(text) }),
  );
  return messages;
}

describe('an unmodified ioredis', () => {
  let redis: Redis;

  function connect(options: object = {}): Redis {
    redis = new Redis({
      host: '127.0.0.1',
      port: service.port,
      password: apiKey,
      // It waits so long for the other side to close before it destroys its socket, and keeps the process meanwhile.
      disconnectTimeout: 50,
      enableAutoPipelining: true,
      retryStrategy: () => 10,
      ...options,
    });
    return redis;
  }

  afterEach(() => redis.disconnect());

  it('subscribes to channels and patterns and unsubscribes', async () => {
    const messages = messagesOf(connect());
    expect(await redis.subscribe('box-1', 'sandbox:box-2')).toBe(2);
    expect(await redis.psubscribe('sandbox:w-*')).toBe(3);
    await redis.ping();
    for (const [n, id] of ['box-1', 'box-2', 'w-7', 'box-3'].entries()) await service.appendNumbers(n, 1, id);
    await until(() => messages.length === 3, 'three messages');
    expect(messages.map(({ channel, event }) => [channel, event.sandboxId]).sort()).toEqual([
      ['box-1', 'box-1'],
      ['sandbox:box-2', 'box-2'],
      ['sandbox:w-7', 'w-7'],
    ]);
    expect(messages[0]?.event.cursor).toMatch(/^1-/);
    expect(await redis.unsubscribe('box-1')).toBe(2);
    expect(await redis.punsubscribe('sandbox:w-*')).toBe(1);
    await service.appendNumbers(1, 1, 'box-1');
    await service.appendNumbers(2, 1, 'box-2');
    await until(() => messages.length === 4, 'the fourth message');
    expect(messages.at(-1)?.channel).toBe('sandbox:box-2');
    // Without names it is settled once nothing is left: the client waits for a count of 0.
    expect(await redis.unsubscribe()).toBe(0);
    expect(await redis.ping()).toBe('PONG');
    expect(await redis.quit()).toBe('OK');
    await until(() => redis.status === 'end', 'the end');
  });

  it('uses other commands, many at once, before it subscribes', async () => {
    connect({ connectionName: 'tester', username: 'anybody' });
    await redis.connect().catch(() => undefined);
    await until(() => redis.status === 'ready', 'ready');
    expect(await Promise.all(range(0, 500).map((n) => redis.echo(String(n))))).toEqual(range(0, 500).map(String));
    expect(await redis.client('GETNAME')).toBe('tester');
    expect(await redis.select(0)).toBe('OK');
    await expect(redis.select(1)).rejects.toThrow('DB index is out of range');
    await expect(redis.get('x')).rejects.toThrow('ERR unknown command');
    expect(await redis.reset()).toBe('RESET');
    await expect(redis.echo('x')).rejects.toThrow('NOAUTH');
  });

  it('resubscribes by itself after it was cut, and goes on from a cursor that it kept', async () => {
    const messages = messagesOf(connect());
    await redis.subscribe('box-1');
    await service.appendNumbers(1, 1);
    await until(() => messages.length === 1, 'the first message');
    const again = new Promise((resolve) => redis.once('ready', resolve));
    redis.stream.destroy();
    await again;
    await until(async () => {
      await service.appendNumbers(2, 1);
      return messages.length > 1;
    }, 'a message after the reconnect');
    const channel = `box-1@${messages[0]?.event.cursor}`;
    const count = messages.length;
    await redis.unsubscribe('box-1');
    await redis.subscribe(channel);
    await until(() => messages.length > count, 'the backfill');
    expect(messages[count]?.event.data.n).toBe(2);
    expect(messages[count]?.channel).toBe(channel);
  });

  it('signs in with a key or a token, with and without a user name, by options or by command', async () => {
    for (const options of [
      { password: apiKey },
      { username: 'default', password: apiKey },
      { password: await service.token() },
      { username: 'box-1', password: await service.token() },
    ]) {
      const messages = messagesOf(connect(options));
      await redis.subscribe('sandbox:box-1');
      await service.appendNumbers(1, 1);
      await until(() => messages.length === 1, 'the message');
      await redis.quit();
    }
    connect({ password: undefined, enableReadyCheck: false });
    await expect(redis.subscribe('box-1')).rejects.toThrow(/^NOAUTH /);
    await expect(redis.call('AUTH', 'anybody', 'wrong')).rejects.toThrow(/^WRONGPASS /);
    expect(await redis.call('AUTH', 'anybody', apiKey)).toBe('OK');
    expect(await redis.subscribe('box-1')).toBe(1);
  });

  it('needs no error listener when the service shuts down, and tries again', async () => {
    const other = await TestService.start();
    connect({ port: other.port, password: await other.apiKey() });
    await redis.subscribe('box-1');
    const retried = new Promise((resolve) => redis.once('reconnecting', resolve));
    const faults: unknown[] = [];
    redis.on('error', (error) => faults.push(error));
    await other.stop();
    await retried;
    redis.disconnect();
    expect(faults.filter((error) => !/ECONNREFUSED/.test(String(error)))).toEqual([]);
  });

  it('is told WRONGPASS for a credential that does not fit', async () => {
    connect({ password: 'wrong', retryStrategy: () => null });
    const [error] = await new Promise<[Error]>((resolve) => redis.once('error', (reason: Error) => resolve([reason])));
    expect(error.message).toMatch(/^WRONGPASS unauthorized /);
  });
});
