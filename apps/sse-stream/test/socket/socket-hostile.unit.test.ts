import { connect } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { range, sandboxEvent, startSockets, type SocketService } from './socket-service';

const DOORS = ['/ws', '/v1/socket'] as const;

describe('hostile input', () => {
  let service: SocketService;
  beforeEach(async () => {
    service = await startSockets();
  });
  afterEach(() => service.stop());

  const endsBy = async (reason: string, door: string) =>
    expect(
      await service.metric(
        `sluice_socket_connections_ended_total{door="${door === '/ws' ? 'workspace' : 'socket'}",reason="${reason}"}`,
      ),
    ).toBe(1);
  const nothingIsKept = () =>
    until(
      async () => (await service.host.feed()).counts.subscriptions === 0 && service.host.limiter.openConnections === 0,
      'nothing is kept',
    );

  describe.each(DOORS)('at %s', (door) => {
    it.each([
      [
        'invalid UTF-8',
        (socket: Said) => socket.send(Buffer.from([0x7b, 0xff, 0xfe]), { binary: false }),
        1007,
        'invalid_text',
      ],
      ['a binary message', (socket: Said) => socket.send(Buffer.from('{"type":"ping"}')), 1003, 'unsupported_data'],
      ['a message above 64 KiB', (socket: Said) => socket.send(`"${'x'.repeat(65_536)}"`), 1009, 'message_too_big'],
      [
        'a message in too many fragments',
        (socket: Said) => range(1, 1_100).forEach(() => socket.send('x', { fin: false })),
        1008,
        'policy',
      ],
    ])('%s closes the connection', async (_name, send, code, reason) => {
      const client = await service.connect(door);
      send(client.webSocket);
      expect((await client.closed()).code).toBe(code);
      await endsBy(reason, door);
      await nothingIsKept();
    });

    it('bytes that are no frame close the connection', async () => {
      const { hostname, port } = new URL(service.url);
      const key = await service.key();
      const socket = connect(Number(port), hostname);
      let answer = Buffer.alloc(0);
      socket.on('data', (chunk) => (answer = Buffer.concat([answer, chunk])));
      socket.on('error', () => undefined);
      socket.write(
        `GET ${door} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
      );
      await until(() => answer.includes('101 Switching'), 'it is open');
      socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await until(() => answer.includes(Buffer.from([0x88, 0x02, 0x03, 0xea])), 'closed with 1002');
      await endsBy('protocol_error', door);
      socket.destroy();
      await nothingIsKept();
    });

    it.each([
      ['deep JSON', '['.repeat(30_000) + ']'.repeat(30_000)],
      ['deep JSON without an end', '{"a":'.repeat(10_000)],
      ['a deep member', `{"type":"subscribe","id":"a","filter":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
      ['a huge id', JSON.stringify({ type: 'subscribe', id: 'x'.repeat(60_000) })],
      ['a huge member name', JSON.stringify({ type: 'ping', ['x'.repeat(60_000)]: 1 })],
      ['a huge type', JSON.stringify({ type: 'x'.repeat(60_000) })],
      ['an unknown type', '{"type":"shutdown"}'],
      ['a type of the other door', '{"type":"Subscribed","data":{"channels":[]}}'],
      ['a prototype', '{"__proto__":{"type":"ping"},"type":"nothing"}'],
      ['a number', '1e999'],
      ['nothing', ''],
      ['a lone surrogate', '{"type":"\\ud800"}'],
    ])('%s is answered in few bytes, and the connection goes on', async (_name, text) => {
      const client = await service.connect(door);
      client.sayText(text);
      const type = door === '/ws' ? 'Error' : 'error';
      await client.receives(type);
      expect(client.texts.at(-1)?.length).toBeLessThan(1_000);
      client.say({ type: door === '/ws' ? 'Ping' : 'ping' });
      await client.receives(door === '/ws' ? 'Pong' : 'pong');
      expect(client.of(type)).toHaveLength(1);
    });

    it('too many messages in succession that are not understood close the connection', async () => {
      const client = await service.connect(door);
      for (const _ of range(1, 20)) client.sayText('nonsense');
      client.sayText(door === '/ws' ? 'ping' : '{"type":"ping"}');
      for (const _ of range(1, 20)) client.sayText('nonsense');
      await client.receives(door === '/ws' ? 'Error' : 'error', 40);
      expect(client.end).toBeUndefined();
      client.sayText('nonsense');
      expect(await client.closed()).toEqual({ code: 1008, reason: 'policy' });
      expect(client.of(door === '/ws' ? 'Error' : 'error')).toHaveLength(41);
      await endsBy('policy', door);
    });

    it.each([
      ['messages', (socket: Said) => socket.send(door === '/ws' ? 'ping' : '{"type":"ping"}'), [4029]],
      // Or cut at once, when it does not read the answers meanwhile.
      ['pings', (socket: Said) => socket.ping(), [4029, 1006]],
      ['pongs', (socket: Said) => socket.pong(), [4029]],
    ])('%s that come too fast close the connection (G9)', async (_name, send, codes) => {
      const client = await service.connect(door);
      for (const _ of range(1, 2_000)) send(client.webSocket);
      expect(codes).toContain((await client.closed()).code);
      await endsBy('rate_limited', door);
      await nothingIsKept();
    });
  });

  it.each([
    ['no filter of ours', { filter: { workspace: 1 } }, 'filter.workspace'],
    ['an unknown family', { filter: { families: ['all'] } }, 'filter.families.0'],
    ['no names', { filter: { entityIds: [] } }, 'filter.entityIds'],
    ['too many names', { filter: { entityIds: range(1, 101).map(String) } }, 'filter.entityIds'],
    ['a name with a line break', { filter: { types: ['a\nb'] } }, 'filter.types.0'],
    ['a negative chain', { filter: { chainIds: [-1] } }, 'filter.chainIds.0'],
    ['no cursor of ours', { cursor: 'yesterday' }, 'cursor'],
    ['a huge cursor', { cursor: 'x'.repeat(10_000) }, 'cursor'],
    ['negative credit', { credit: -1 }, 'credit'],
    ['a fraction of credit', { credit: 0.5 }, 'credit'],
    ['an unknown member', { since: 1 }, 'since'],
    ['a group with a blank', { presence: { group: 'a b', name: 'n' } }, 'presence.group'],
    ['a long name', { presence: { group: 'g', name: 'n'.repeat(65) } }, 'presence.name'],
    ['a name of two lines', { presence: { group: 'g', name: 'a\nb' } }, 'presence.name'],
  ])('a subscription with %s is refused, and says where', async (_name, parts, where) => {
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'a', ...parts });
    expect(await client.receives('error')).toMatchObject({ id: 'a', where, retryable: false });
    expect((await service.host.feed()).counts.subscriptions).toBe(0);
  });

  it('a second subscription of one id is refused, and the first goes on', async () => {
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'a' });
    client.say({ type: 'subscribe', id: 'a' });
    expect(await client.receives('error')).toMatchObject({ code: 'conflict', id: 'a', where: 'id' });
    await service.record(sandboxEvent());
    await client.receivesEvents(1, 'a');
    expect((await service.host.feed()).counts.subscriptions).toBe(1);
  });

  it('the 33rd subscription is refused, until there is room (G9)', async () => {
    const client = await service.connect('/v1/socket');
    for (const n of range(1, 33)) client.say({ type: 'subscribe', id: `s${n}` });
    expect(await client.receives('error')).toMatchObject({ code: 'too_many_connections', id: 's33' });
    expect(client.of('subscribed')).toHaveLength(32);
    client.say({ type: 'unsubscribe', id: 's1' });
    client.say({ type: 'subscribe', id: 's33' });
    await client.receives('subscribed', 33);
  });

  it.each([
    ['credit', { events: 1 }],
    ['unsubscribe', {}],
  ])('%s for no subscription is refused', async (type, parts) => {
    const client = await service.connect('/v1/socket');
    client.say({ type, id: 'nobody', ...parts });
    expect(await client.receives('error')).toMatchObject({ code: 'not_found', id: 'nobody', where: 'id' });
  });
});

interface Said {
  send(data: string | Buffer, options?: { binary?: boolean; fin?: boolean }): void;
  ping(): void;
  pong(): void;
}
