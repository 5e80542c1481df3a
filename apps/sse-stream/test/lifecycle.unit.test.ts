import { connect } from 'node:net';
import { decodeCursor } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { range, sandboxEvent, startStreams, type StreamService } from './stream-service';

/** More than the socket buffers of both sides and the queue of a subscription hold together. */
const FLOOD_EVENTS = 200;
const filler = 'x'.repeat(200_000);

/** What waits for this does not end within the time of a test. */
const LONGER_THAN_A_TEST_MS = 3_600_000;

const isRefused = (url: string) =>
  fetch(`${url}/health`).then(
    () => false,
    () => true,
  );

describe('the life of a stream', () => {
  let service: StreamService;
  let key: string;
  afterEach(() => service.stop());

  async function start(...options: Parameters<typeof startStreams>): Promise<void> {
    service = await startStreams(...options);
    key = await service.key();
  }
  const subscriptions = async () => (await service.host.feed()).counts.subscriptions;
  const isOver = () =>
    until(async () => (await subscriptions()) === 0 && service.host.limiter.openConnections === 0, 'nothing is kept');
  const flood = async () => {
    for (const n of range(1, FLOOD_EVENTS)) {
      await service.record(sandboxEvent({ data: { n, filler } }));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('has heartbeats, each with a fresh cursor, also while a filter lets nothing through', async () => {
    await start({ heartbeatMs: 20 });
    const client = await service.open('?types=never', { key });
    await until(() => client.comments >= 2, 'heartbeats arrive');
    await service.record(...range(1, 5).map(() => sandboxEvent()));
    await until(() => decodeCursor(client.lastEventId).position === 5, 'the cursor moves on');
    expect(client.positions).toEqual([]);
    expect(client.text).toContain(': heartbeat\n');
    // What was let by does not come again.
    const next = await service.open('', { key, lastEventId: client.lastEventId });
    await service.record(sandboxEvent());
    await next.receives(1);
    expect(next.positions).toEqual([6]);
  });

  it('never gives a cursor beyond an event that it still owes', async () => {
    await start({ heartbeatMs: 1 });
    const client = await service.open('?cursor=earliest', { key });
    for (const n of range(1, 300)) {
      await service.record(sandboxEvent({ data: { n } }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.receives(300);
    let position = 0;
    for (const output of client.outputs) {
      if (output.kind === 'event') {
        const event = JSON.parse(output.data);
        expect(event.position).toBe(position + 1);
        position = event.position;
      }
      if (output.kind === 'mark') expect(decodeCursor(output.lastEventId).position).toBe(position);
    }
    expect(client.comments).toBeGreaterThan(0);
  });

  it('keeps nothing of a client that leaves', async () => {
    await start({ heartbeatMs: 20 });
    const clients = await Promise.all(range(1, 20).map(() => service.open('', { key })));
    expect(await subscriptions()).toBe(20);
    expect(await service.metric('sluice_subscribers')).toBe(20);
    for (const client of clients) client.destroy();
    await isOver();
    expect(await service.metric('sluice_sse_streams_ended_total{reason="closed"}')).toBe(20);
  });

  it('keeps nothing of a client that left before it was answered', async () => {
    await start();
    const { hostname, port } = new URL(service.url);
    for (const _ of range(1, 50)) {
      // A new key each time, so that the door has to look it up first.
      const fresh = await service.key();
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => {
          socket.write(`GET /v1/stream HTTP/1.1\r\nHost: x\r\nX-API-Key: ${fresh}\r\n\r\n`, () => {
            socket.destroy();
            resolve();
          });
        });
      });
    }
    await until(
      async () => (await service.metric('sluice_http_requests_in_hand{kind="long"}')) === 0,
      'all requests are over',
    );
    await isOver();
  });

  it('ends a slow subscriber with a code, from which it can resume without a gap (G5, G9)', async () => {
    await start({ endGraceMs: 60_000 });
    const client = await service.open('', { key });
    const attentive = await service.open('', { key });
    client.pause();
    await flood();
    await until(async () => (await service.metric('sluice_subscriptions_ended_total{reason="slow_subscriber"}')) === 1);
    expect(await service.metric('sluice_subscriber_queue_overflows_total{reason="bytes"}')).toBe(1);
    // One that reads is not slow.
    await attentive.receives(FLOOD_EVENTS);
    client.resume();
    await client.closed();
    const [end] = client.data('end');
    expect(end).toMatchObject({ code: 'slow_subscriber', retryable: true, cursor: client.lastEventId });
    expect(client.positions).toEqual(range(1, client.positions.length));
    expect(client.positions.length).toBeLessThan(FLOOD_EVENTS);
    const next = await service.open('', { key, lastEventId: client.lastEventId });
    await next.receives(FLOOD_EVENTS - client.positions.length);
    expect([...client.positions, ...next.positions]).toEqual(range(1, FLOOD_EVENTS));
    expect(await service.metric('sluice_sse_streams_ended_total{reason="slow_subscriber"}')).toBe(1);
    expect(await service.metric('sluice_sse_streams_cut_off_total')).toBe(0);
  });

  it('ends one that stops reading while it catches up, and cuts it off (G9)', async () => {
    await start({ stallTimeoutMs: 4_000, endGraceMs: 50 });
    await flood();
    const client = await service.open('?cursor=earliest', { key });
    const attentive = await service.open('?cursor=earliest', { key });
    client.pause();
    await attentive.receives(FLOOD_EVENTS);
    await until(async () => (await subscriptions()) === 1, 'the one that stands still is ended');
    await until(async () => (await service.metric('sluice_sse_streams_cut_off_total')) === 1, 'it is cut off');
    expect(await service.metric('sluice_sse_streams_ended_total{reason="slow_subscriber"}')).toBe(1);
    await until(() => service.host.limiter.openConnections === 1, 'its place is free');
  });

  it('tells one that reads again in time why it was ended, and where to resume (G5)', async () => {
    await start({ stallTimeoutMs: 1_000, endGraceMs: 60_000 });
    await flood();
    const client = await service.open('?cursor=earliest', { key });
    client.pause();
    await until(async () => (await service.metric('sluice_sse_streams_ended_total{reason="slow_subscriber"}')) === 1);
    client.resume();
    await client.closed();
    expect(client.data('end')).toMatchObject([
      { code: 'slow_subscriber', retryable: true, cursor: client.lastEventId },
    ]);
    expect(client.positions).toEqual(range(1, client.positions.length));
    const next = await service.open('', { key, lastEventId: client.lastEventId });
    await next.receives(FLOOD_EVENTS - client.positions.length);
    expect([...client.positions, ...next.positions]).toEqual(range(1, FLOOD_EVENTS));
  });

  it('cuts off one that never reads again (G9)', async () => {
    await start({ endGraceMs: 50 });
    const client = await service.open('', { key });
    client.pause();
    await flood();
    await isOver();
    expect(await service.metric('sluice_sse_streams_cut_off_total')).toBe(1);
    expect(await service.metric('sluice_http_requests_in_hand{kind="long"}')).toBe(0);
  });

  it('ends the streams at a drain with a word, after what is left, and the drain waits for no laggard (G5)', async () => {
    await start({ endGraceMs: LONGER_THAN_A_TEST_MS }, { SLUICE_DRAIN_TIMEOUT: '6s' });
    const stuck = await service.open('', { key });
    stuck.pause();
    await flood();
    const client = await service.open('', { key });
    const filtered = await service.open('?types=never', { key });
    await service.record(...range(1, 30).map((n) => sandboxEvent({ data: { n } })));
    expect(service.host.limiter.openConnections).toBe(3);
    const drained = service.stopServing();
    await Promise.all([client.closed(), filtered.closed()]);
    expect(client.positions).toEqual(range(FLOOD_EVENTS + 1, FLOOD_EVENTS + 30));
    for (const each of [client, filtered]) {
      expect(each.data('end')).toEqual([
        { code: 'shutting_down', message: expect.any(String), retryable: true, cursor: each.lastEventId },
      ]);
    }
    await drained;
  });

  it('spreads the ends of a drain over its window, at every door and in no order of arrival', async () => {
    await start({ drainSpreadMs: 2_000 }, { SLUICE_DRAIN_TIMEOUT: '20s' });
    const doors = ['/v1/stream', '/api/v1/events', '/api/events'];
    const clients = [];
    for (const n of range(0, 23)) clients.push(await service.openAt(doors[n % 3] ?? '', { key }));
    const ends: { readonly n: number; readonly atMs: number }[] = [];
    const noting = clients.map((client, n) => client.closed().then(() => ends.push({ n, atMs: performance.now() })));
    const startedAtMs = performance.now();
    const drained = service.stopServing();
    await until(() => ends.length > 0, 'the first has ended');
    // The others go on as if nothing were.
    const [recorded] = await service.record(sandboxEvent());
    const open = clients.filter((_client, n) => n % 3 === 0 && !ends.some((end) => end.n === n));
    await until(
      () => open.some((client) => client.positions[0] === recorded?.event.position),
      'live events still come',
    );
    await Promise.all(noting);
    await drained;
    for (const client of clients)
      expect(client.data('end')).toMatchObject([{ code: 'shutting_down', retryable: true }]);
    const lastMs = Math.max(...ends.map(({ atMs }) => atMs)) - startedAtMs;
    expect(lastMs).toBeGreaterThan(1_600);
    expect(ends.map(({ n }) => n)).not.toEqual(range(0, 23));
  });

  it('spreads a drain no longer than it has time', async () => {
    await start({ drainSpreadMs: LONGER_THAN_A_TEST_MS }, { SLUICE_DRAIN_TIMEOUT: '4s' });
    // At the longest pause between two ends the last ones would be cut, without a word.
    const clients = await Promise.all(range(1, 16).map(() => service.open('', { key })));
    await service.stopServing();
    for (const client of clients) {
      await client.closed();
      expect(client.data('end')).toMatchObject([{ code: 'shutting_down' }]);
    }
  });

  it('lets a subscriber that is behind read to its end while it drains (G5)', async () => {
    await start({ endGraceMs: 60_000 });
    const client = await service.open('', { key });
    client.pause();
    await flood();
    const drained = service.stopServing();
    await until(() => isRefused(service.url), 'the drain has begun');
    client.resume();
    await client.closed();
    expect(client.data('end')).toMatchObject([{ code: 'slow_subscriber', cursor: client.lastEventId }]);
    expect(client.positions).toEqual(range(1, client.positions.length));
    await drained;
  });

  it('refuses new streams while it drains', async () => {
    await start();
    const stuck = await service.open('?cursor=earliest', { key });
    stuck.pause();
    await flood();
    await (await service.host.feed()).stop();
    const refused = await service.open('', { key });
    expect(refused.status).toBe(503);
    expect((await refused.json()).code).toBe('shutting_down');
  });

  it('breaks off when an event cannot be written, and serves the others', async () => {
    await start();
    const client = await service.open('?types=good', { key });
    const broken = await service.open('', { key });
    // No door lets such a type in.
    await service.record(sandboxEvent({ type: 'a\nb' }), sandboxEvent({ type: 'good' }));
    await broken.closed();
    expect(broken.data()).toEqual([]);
    expect(await service.metric('sluice_sse_streams_ended_total{reason="fault"}')).toBe(1);
    await client.receives(1);
    expect(service.host.limiter.openConnections).toBe(1);
  });

  it('serves many subscribers the same bytes, once each', async () => {
    await start();
    const clients = await Promise.all(range(1, 100).map(() => service.open('', { key })));
    for (const n of range(1, 20)) await service.record(sandboxEvent({ data: { n } }));
    await Promise.all(clients.map((client) => client.receives(20)));
    for (const client of clients) expect(client.positions).toEqual(range(1, 20));
    expect(await service.metric('sluice_delivered_events_total')).toBe(2_000);
  });
});
