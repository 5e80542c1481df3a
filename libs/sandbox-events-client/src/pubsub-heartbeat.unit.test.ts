import { ScriptedLineServer, type Peer } from '../test/scripted-line-server';
import { rejection, until } from '../test/until';
import { createPubSubClient, EventsPubSubError, type EventsPubSubClient, type PubSubClientConfig } from './index';

let server: ScriptedLineServer;
let clients: EventsPubSubClient[] = [];

beforeEach(async () => {
  server = new ScriptedLineServer();
  await server.start();
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.disconnect()));
  clients = [];
  await server.stop();
});

function makeClient(config: Partial<PubSubClientConfig> = {}): EventsPubSubClient {
  const client = createPubSubClient({
    host: '127.0.0.1',
    port: config.port ?? server.port,
    sandboxId: 'sandbox-123',
    accessToken: 'token',
    reconnectDelay: 2,
    ...config,
  });
  clients.push(client);
  return client;
}

/** Everything that a client emits, in order, as short words. */
function record(client: EventsPubSubClient): string[] {
  const log: string[] = [];
  client.on('event', (event) => log.push(event.id));
  client.on('connect', () => log.push('connect'));
  client.on('disconnect', () => log.push('disconnect'));
  client.on('error', (error) =>
    log.push(`error ${error instanceof EventsPubSubError ? (error.code ?? error.message) : ''}`),
  );
  client.on('reset', ({ cursor, reason }) => log.push(`reset ${cursor} ${reason}`));
  return log;
}

async function subscribed(client: EventsPubSubClient, cursor = 'c0'): Promise<Peer> {
  const connecting = client.connect();
  const peer = await server.peer();
  await peer.line();
  peer.send(`+OK subscribed sandbox-123 ${cursor}`);
  await connecting;
  return peer;
}

async function accept(cursor: string): Promise<{ peer: Peer; line: string }> {
  const peer = await server.peer();
  const line = await peer.line();
  peer.send(`+OK subscribed sandbox-123 ${cursor}`);
  return { peer, line };
}

describe('heartbeat', () => {
  it('sends PINGs, and gives up a server that is silent', async () => {
    const client = makeClient({ heartbeatIntervalMs: 10, heartbeatTimeoutMs: 40 });
    const log = record(client);
    const peer = await subscribed(client);
    expect(await peer.line()).toBe('PING');
    await accept('c0');
    await until('the second connect', () => log.length === 4);
    expect(log).toEqual(['connect', 'error heartbeat_timeout', 'disconnect', 'connect']);
    expect(peer.lines.length).toBeGreaterThan(3);
  });

  it('keeps a connection whose server answers', async () => {
    const client = makeClient({ heartbeatIntervalMs: 5, heartbeatTimeoutMs: 1_000 });
    const peer = await subscribed(client);
    const answer = setInterval(() => peer.send('+PONG'), 5);
    await until('twenty PINGs', () => peer.lines.length > 20);
    clearInterval(answer);
    expect(server.peers).toHaveLength(1);
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
