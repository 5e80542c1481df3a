import { record, usePubSubBench } from '../test/pubsub-bench';
import { rejection, until } from '../test/until';
import { EventsPubSubError } from './index';

const bench = usePubSubBench();
const { makeClient, subscribed, accept } = bench;

describe('heartbeat', () => {
  it('sends PINGs, and gives up a server that is silent', async () => {
    const client = makeClient({ heartbeatIntervalMs: 100, heartbeatTimeoutMs: 2_500 });
    const log = record(client);
    const peer = await subscribed(client);
    expect(await peer.line()).toBe('PING');
    await accept('c0');
    await until('the second connect', () => log.length === 4);
    expect(log).toEqual(['connect', 'error heartbeat_timeout', 'disconnect', 'connect']);
    expect(peer.lines.length).toBeGreaterThan(3);
  });

  it('keeps a connection whose server answers', async () => {
    const client = makeClient({ heartbeatIntervalMs: 5, heartbeatTimeoutMs: 3_000 });
    const peer = await subscribed(client);
    const answer = setInterval(() => peer.send('+PONG'), 5);
    await until('twenty PINGs', () => peer.lines.length > 20);
    clearInterval(answer);
    expect(bench.server.peers).toHaveLength(1);
  });

  it('resolves ping() with its answer', async () => {
    const client = makeClient({ heartbeatIntervalMs: 0 });
    const peer = await subscribed(client);
    const pings = [client.ping(), client.ping()];
    expect(await peer.line()).toBe('PING');
    peer.send('+PONG');
    await pings[0];
    peer.send('PONG');
    await pings[1];
    expect(peer.lines).toEqual(['SUBSCRIBE sandbox-123 token', 'PING', 'PING']);
  });

  it('rejects ping() when not connected or when the connection ends', async () => {
    const client = makeClient();
    await expect(client.ping()).rejects.toThrow('Not connected');
    const peer = await subscribed(client);
    const ping = rejection(client.ping());
    await peer.line();
    peer.fin();
    expect(await ping).toBeInstanceOf(EventsPubSubError);
  });

  it('leaves no unhandled rejection when the promise of ping() is ignored', async () => {
    const seen: unknown[] = [];
    const listener = (reason: unknown): void => void seen.push(reason);
    process.on('unhandledRejection', listener);
    void makeClient().ping();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    process.off('unhandledRejection', listener);
    expect(seen).toEqual([]);
  });
});
