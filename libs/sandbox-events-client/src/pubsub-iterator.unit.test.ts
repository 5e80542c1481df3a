import { eventLine, ScriptedLineServer, type Peer } from '../test/scripted-line-server';
import { rejection, until } from '../test/until';
import { createPubSubClient, type EventsPubSubClient } from './index';

let server: ScriptedLineServer;
let client: EventsPubSubClient;

beforeEach(async () => {
  server = new ScriptedLineServer();
  await server.start();
  client = createPubSubClient({
    host: '127.0.0.1',
    port: server.port,
    sandboxId: 'sandbox-123',
    accessToken: 'token',
    reconnectDelay: 2,
    maxQueuedEvents: 4,
  });
});
afterEach(async () => {
  await client.disconnect();
  await server.stop();
});

async function accept(...lines: string[]): Promise<Peer> {
  const peer = await server.peer();
  await peer.line();
  peer.send('+OK subscribed sandbox-123 c0', ...lines);
  return peer;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

async function collect(count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const event of client) {
    ids.push(event.id);
    if (ids.length === count) break;
  }
  return ids;
}

it('connects by itself and yields the events in order, over a reconnect', async () => {
  const collecting = collect(4);
  (await accept(eventLine(1), eventLine(2))).fin();
  await accept(eventLine(3), eventLine(4));
  await expect(collecting).resolves.toEqual(['e1', 'e2', 'e3', 'e4']);
  expect(client.getState()).toBe('connected');
});

it('misses nothing that came with the acknowledgement', async () => {
  const connecting = client.connect();
  await accept(eventLine(1));
  await connecting;
  await expect(collect(1)).resolves.toEqual(['e1']);
});

it('stops reading while its queue is full, and loses nothing', async () => {
  const emitted: string[] = [];
  client.on('event', (event) => emitted.push(event.id));
  const iterator = client[Symbol.asyncIterator]();
  const pad = 'x'.repeat(200_000);
  const peer = await accept(...range(1, 100).map((n) => eventLine(n, { pad })));
  await until('a full queue', () => emitted.length >= 4);
  await until('a full socket', () => peer.socket.writableLength > 0);
  expect(emitted).toEqual(['e1', 'e2', 'e3', 'e4']);
  const ids: string[] = [];
  for await (const event of iterator) {
    ids.push(event.id);
    expect(emitted.length - ids.length).toBeLessThanOrEqual(4);
    if (ids.length === 100) break;
  }
  expect(ids).toEqual(range(1, 100).map((n) => `e${n}`));
});

it('resumes after what it holds when the connection is reset while it is full', async () => {
  const iterator = client[Symbol.asyncIterator]();
  const first = await accept(...range(1, 9).map((n) => eventLine(n)));
  await until('a full queue', () => client.getCursor() === 'c4');
  first.reset();
  const second = await server.peer();
  expect(await second.line()).toBe('SUBSCRIBE sandbox-123 token c4');
  second.send('+OK subscribed sandbox-123 c4', ...range(5, 9).map((n) => eventLine(n)));
  const ids: string[] = [];
  for await (const event of iterator) {
    ids.push(event.id);
    if (ids.length === 9) break;
  }
  expect(ids).toEqual(range(1, 9).map((n) => `e${n}`));
});

it('goes on for other listeners when a full loop is left', async () => {
  const emitted: string[] = [];
  client.on('event', (event) => emitted.push(event.id));
  const iterator = client[Symbol.asyncIterator]();
  await accept(...range(1, 20).map((n) => eventLine(n)));
  await until('a full queue', () => emitted.length === 4);
  await iterator.return?.();
  await until('the rest', () => emitted.length === 20);
});

it('ends on disconnect() after the events that it holds', async () => {
  const iterator = client[Symbol.asyncIterator]();
  await accept(eventLine(1));
  await until('the event', () => client.getCursor() === 'c1');
  await client.disconnect();
  const ids: string[] = [];
  for await (const event of iterator) ids.push(event.id);
  expect(ids).toEqual(['e1']);
});

it('throws when the subscription is refused or lost for good', async () => {
  const refused = rejection(collect(1));
  (await server.peer()).fin('-ERR forbidden other sandbox\r\n');
  expect(await refused).toMatchObject({ code: 'forbidden' });
  const lost = rejection(collect(2));
  (await accept(eventLine(1))).send('-ERR token_expired');
  expect(await lost).toMatchObject({ code: 'token_expired' });
});
