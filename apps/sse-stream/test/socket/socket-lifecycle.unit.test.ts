import { decodeCursor, encodeCursor, SluiceError, toPosition } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import type { SocketClient } from './socket-client';
import { range, sandboxEvent, startSockets, taskCreated, type SocketService } from './socket-service';

/** More than the socket buffers of both sides and the queue of a subscription hold together. */
const FLOOD_EVENTS = 200;
const filler = 'x'.repeat(100_000);

describe('the life of a socket', () => {
  let service: SocketService;
  afterEach(() => service.stop());

  const subscriptions = async () => (await service.host.feed()).counts.subscriptions;
  const isOver = () =>
    until(async () => (await subscriptions()) === 0 && service.host.limiter.openConnections === 0, 'nothing is kept');
  const ended = (door: string, reason: string) =>
    service.metric(`sluice_socket_connections_ended_total{door="${door}",reason="${reason}"}`);
  const flood = async (from = 1, to = FLOOD_EVENTS) => {
    for (const n of range(from, to)) {
      await service.record(taskCreated(`t${n}`, 1, { prompt: filler }));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const workspacePositions = (client: SocketClient) =>
    client.of('Event').map(({ data }) => Number(decodeCursor(data.cursor).position));
  const subscribed = async (options: object = {}) => {
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'a', credit: 10_000, ...options });
    await client.receives('subscribed');
    return client;
  };

  it('keeps nothing of clients that leave, with a word or without', async () => {
    service = await startSockets();
    const key = await service.key();
    const clients = await Promise.all(
      range(1, 20).map((n) => service.connect(n % 2 === 0 ? '/ws' : '/v1/socket', { key })),
    );
    for (const [n, client] of clients.entries()) if (n % 2 === 0) client.say({ type: 'subscribe', id: 'a' });
    await until(async () => (await subscriptions()) === 20, 'all have subscribed');
    expect(await service.metric('sluice_socket_subscriptions')).toBe(10);
    const access = await service.host.access();
    expect(access.watchedKeys).toBe(1);
    expect(await service.metric('sluice_socket_connections{door="socket"}')).toBe(10);
    for (const [n, client] of clients.entries()) {
      if (n < 10) client.destroy();
      else client.webSocket.close();
    }
    await isOver();
    for (const door of ['workspace', 'socket']) {
      expect([await ended(door, 'lost'), await ended(door, 'client')]).toEqual([5, 5]);
      expect(await service.metric(`sluice_socket_connections{door="${door}"}`)).toBe(0);
    }
    expect(await service.metric('sluice_socket_subscriptions')).toBe(0);
    expect(access.watchedKeys).toBe(0);
    expect(await service.metric('sluice_socket_closes_unanswered_total')).toBe(0);
  });

  it('closes a slow subscriber of /ws with 4008, from which it can resume without a gap (G5, G9)', async () => {
    service = await startSockets({ endGraceMs: 60_000 });
    const client = await service.connect('/ws');
    const attentive = await service.connect('/ws');
    client.pause();
    for (const n of range(1, FLOOD_EVENTS)) {
      await flood(n, n);
      await attentive.receives('Event', n);
    }
    await until(async () => (await ended('workspace', 'slow_subscriber')) === 1, 'it is closed');
    client.resume();
    expect(await client.closed()).toEqual({ code: 4008, reason: 'slow_subscriber' });
    const received = workspacePositions(client);
    expect(received).toEqual(range(1, received.length));
    expect(received.length).toBeLessThan(FLOOD_EVENTS);
    const { cursor } = client.of('Event').at(-1).data;
    const next = await service.connect(`/ws?cursor=${cursor}`);
    await next.receives('Event', FLOOD_EVENTS - received.length);
    expect([...received, ...workspacePositions(next)]).toEqual(range(1, FLOOD_EVENTS));
  });

  it('ends a slow subscription of /v1/socket with its cursor, and the connection goes on (G5, G9)', async () => {
    service = await startSockets();
    const client = await subscribed();
    client.pause();
    await flood();
    await until(async () => (await service.metric('sluice_subscriptions_ended_total{reason="slow_subscriber"}')) === 1);
    client.resume();
    const { code, cursor } = await client.receives('ended');
    expect(code).toBe('slow_subscriber');
    client.say({ type: 'subscribe', id: 'b', cursor, credit: 10_000 });
    await client.receivesEvents(FLOOD_EVENTS);
    expect(client.positions()).toEqual(range(1, FLOOD_EVENTS));
    expect(client.end).toBeUndefined();
  });

  it.each(['/ws?cursor=earliest', '/v1/socket'])(
    'closes a peer of %s that reads nothing while it catches up, though it goes on talking (G9)',
    async (path) => {
      service = await startSockets({ stallTimeoutMs: 150, sweepMs: 20, endGraceMs: 50 });
      await flood();
      const client = await service.connect(path);
      client.pause();
      if (path === '/v1/socket') client.say({ type: 'subscribe', id: 'a', cursor: 'earliest', credit: 10_000 });
      const talk = setInterval(() => client.webSocket.ping(), 20);
      const door = path === '/v1/socket' ? 'socket' : 'workspace';
      await until(async () => (await ended(door, 'slow_subscriber')) === 1, 'it is closed');
      await isOver();
      clearInterval(talk);
      await until(async () => (await service.metric('sluice_socket_closes_unanswered_total')) === 1, 'it is cut');
    },
  );

  it('tells one that reads again in time why it was closed, and where each subscription goes on (G5)', async () => {
    service = await startSockets({ stallTimeoutMs: 1_000, sweepMs: 20, endGraceMs: 60_000 });
    await flood();
    const client = await service.connect('/v1/socket');
    client.pause();
    client.say({ type: 'subscribe', id: 'a', cursor: 'earliest', credit: 10_000 });
    await until(async () => (await ended('socket', 'slow_subscriber')) === 1, 'it is closed');
    client.resume();
    expect(await client.closed()).toEqual({ code: 4008, reason: 'slow_subscriber' });
    const [end] = client.of('ended');
    expect(end).toMatchObject({ id: 'a', code: 'slow_subscriber', retryable: true });
    expect(await service.metric('sluice_socket_closes_unanswered_total')).toBe(0);
    const next = await subscribed({ cursor: end.cursor });
    await next.receivesEvents(FLOOD_EVENTS - client.positions().length);
    expect([...client.positions(), ...next.positions()]).toEqual(range(1, FLOOD_EVENTS));
  });

  it('says so when past events cannot be read', async () => {
    service = await startSockets();
    const [recorded] = await service.record(sandboxEvent());
    const socket = await service.connect('/v1/socket');
    const key = await service.key();
    const readModel = await service.host.engine.readModel();
    const { epoch } = await readModel.head();
    // Whether this place is known already only the read model can tell.
    const cursor = encodeCursor({ epoch, position: toPosition((recorded?.event.position ?? 0) + 1) });
    jest.spyOn(readModel, 'head').mockRejectedValue(new SluiceError('read_model_unavailable', 'Away'));
    socket.say({ type: 'subscribe', id: 'a', cursor });
    expect(await socket.receives('error')).toMatchObject({ id: 'a', code: 'read_model_unavailable', retryable: true });
    const workspace = await service.connect(`/ws?cursor=${cursor}`, { key });
    expect(await workspace.closed()).toEqual({ code: 1013, reason: 'unavailable' });
    jest.restoreAllMocks();
    socket.say({ type: 'subscribe', id: 'a', cursor });
    expect(await socket.receives('subscribed')).toMatchObject({ reset: { reason: 'future_cursor' } });
  });

  it('takes nothing from the feed for a peer that does not read (G9)', async () => {
    service = await startSockets({ stallTimeoutMs: 20_000 });
    await flood();
    const client = await service.connect('/v1/socket');
    client.pause();
    client.say({ type: 'subscribe', id: 'a', cursor: 'earliest', credit: 10_000 });
    let before = 0;
    const isStill = async () => {
      const last = before;
      before = await service.metric('sluice_socket_sent_bytes_total');
      return before === last && before > filler.length;
    };
    await until(isStill, 'it is behind');
    await flood(FLOOD_EVENTS + 1, FLOOD_EVENTS + 20);
    expect(await service.metric('sluice_socket_sent_bytes_total')).toBe(before);
    client.resume();
    await client.receivesEvents(FLOOD_EVENTS + 20);
    expect(client.positions()).toEqual(range(1, FLOOD_EVENTS + 20));
  });

  it('pings its peers, and cuts one that is silent', async () => {
    service = await startSockets({ pingIntervalMs: 2_500, sweepMs: 50 });
    const lively = await service.connect('/ws');
    const silent = await service.connect('/ws');
    let pings = 0;
    lively.webSocket.on('ping', () => pings++);
    // It neither reads pings nor answers them.
    silent.pause();
    await until(async () => (await ended('workspace', 'silent')) === 1, 'the silent one is cut');
    await until(() => pings >= 2, 'the other one is pinged');
    expect(lively.end).toBeUndefined();
    expect(service.host.limiter.openConnections).toBe(1);
  });

  it('drains: closes all with 1012, each subscription with its cursor, from which the next process goes on', async () => {
    service = await startSockets({ drainSpreadMs: 3_000 });
    const clients = await Promise.all(range(1, 6).map(() => subscribed()));
    const workspace = await service.connect('/ws');
    await service.record(sandboxEvent());
    for (const client of clients) await client.receivesEvents(1);
    const ends: number[] = [];
    for (const client of clients) client.webSocket.on('close', () => ends.push(performance.now()));
    await service.stopServing();
    for (const client of [...clients, workspace]) {
      expect(await client.closed()).toEqual({ code: 1012, reason: 'shutting_down' });
    }
    for (const client of clients) {
      const [end] = client.of('ended');
      expect(end).toMatchObject({ id: 'a', code: 'shutting_down', retryable: true });
      expect(decodeCursor(end.cursor).position).toBe(1);
    }
    // Not all at once.
    expect((ends.at(-1) ?? 0) - (ends[0] ?? 0)).toBeGreaterThan(50);
    expect((await ended('socket', 'shutting_down')) + (await ended('workspace', 'shutting_down'))).toBe(7);
  });

  it('drains in time whatever its peers do', async () => {
    // The grace is its time: the whole drain has longer than a test.
    service = await startSockets({ drainSpreadMs: 0, endGraceMs: 100, sweepMs: 20 }, { SLUICE_DRAIN_TIMEOUT: '10m' });
    await flood();
    const client = await service.connect('/ws?cursor=earliest');
    client.pause();
    await until(
      async () => (await service.metric('sluice_socket_delivered_events_total{door="workspace"}')) > 0,
      'it begins',
    );
    await service.stopServing();
    expect(await ended('workspace', 'shutting_down')).toBe(1);
    expect(await service.metric('sluice_socket_closes_unanswered_total')).toBe(1);
  });
});
