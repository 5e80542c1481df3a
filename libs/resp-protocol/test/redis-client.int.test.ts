import Redis from 'ioredis';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { CommandParser, type Command } from '../src/command-parser';
import {
  encodeBulk,
  encodeMessage,
  encodePatternMessage,
  encodePong,
  encodeSimple,
  encodeSubscription,
} from '../src/encode-resp';

/** The smallest server that a Redis client can subscribe to. */
function answer({ name, args }: Command): Buffer[] {
  const channel = args[0] ?? '';
  switch (name) {
    case 'INFO':
      return [encodeBulk('redis_version:7.0.0\r\n')];
    case 'SUBSCRIBE':
      return [encodeSubscription(2, 'subscribe', channel, 1), encodeMessage(2, channel, '{"n":1}')];
    case 'PSUBSCRIBE':
      return [encodeSubscription(2, 'psubscribe', channel, 2), encodePatternMessage(2, channel, 'box-7', '{"n":2}')];
    case 'PING':
      return [encodePong(2, true, args[0])];
    case 'UNSUBSCRIBE':
      return [encodeSubscription(2, 'unsubscribe', channel, 1)];
    default:
      return [encodeSimple('OK')];
  }
}

describe('an unmodified ioredis', () => {
  const commands: Command[] = [];
  const sockets = new Set<Socket>();
  let server: Server;
  let redis: Redis;

  beforeAll(async () => {
    server = createServer((socket) => {
      const parser = new CommandParser();
      sockets.add(socket);
      socket.on('data', (chunk) => {
        for (const output of parser.feed(chunk)) {
          if (output.kind === 'error') throw new Error(output.message);
          commands.push(output);
          for (const bytes of answer(output)) socket.write(bytes);
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    redis = new Redis({ host: '127.0.0.1', port, password: 'secret', connectionName: 'test' });
  });

  afterAll(() => {
    redis.disconnect();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('connects, subscribes and receives', async () => {
    const message = once(redis, 'message');
    const patternMessage = once(redis, 'pmessage');
    expect(await redis.subscribe('box-1')).toBe(1);
    expect(await message).toEqual(['box-1', '{"n":1}']);
    expect(await redis.psubscribe('box-*')).toBe(2);
    expect(await patternMessage).toEqual(['box-*', 'box-7', '{"n":2}']);
    await redis.ping('hi');
    expect(await redis.unsubscribe('box-1')).toBe(1);
    expect(commands[0]).toMatchObject({ dialect: 'resp', name: 'AUTH', args: ['secret'] });
    expect(commands.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['CLIENT', 'SUBSCRIBE', 'PSUBSCRIBE', 'PING', 'UNSUBSCRIBE']),
    );
  });
});
