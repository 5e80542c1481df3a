import { encodeCursor, toPosition } from '@sluice/event-log';
import { removeOldest } from '@sluice/event-log/conformance';
import { newEventId } from '@sluice/event-schema';
import { OPERATOR_KEY, range, sandboxEvent, startQuery, type Json, type QueryService } from './query-service';

describe('the generic doors', () => {
  let service: QueryService;
  let key: string;
  beforeEach(async () => {
    service = await startQuery();
    key = await service.key(1, 'reader');
  });
  afterEach(() => service.stop());

  const get = (path: string, headers?: Record<string, string>) =>
    service.call(path, { key, ...(headers && { headers }) });

  describe('GET /v1/events', () => {
    it('gives the stored text of each event, byte for byte', async () => {
      const recorded = await service.record(
        sandboxEvent({ data: { odd: '\u0000\ud800🐚', nested: { a: [1.0, 1e21] } } }),
        sandboxEvent({ family: 'session', entityId: 's-1', correlationId: 'c' }),
      );
      const { text, status } = await get('/v1/events');
      const head = await (await service.host.engine.readModel()).head();
      expect(status).toBe(200);
      const list = recorded.map(({ json }) => json).join(',');
      expect(text).toBe(`{"events":[${list}],"headCursor":"${encodeCursor(head)}"}`);
    });

    it('tells of what is not kept any more, at every door of pages (G5)', async () => {
      const recorded = await service.record(sandboxEvent(), sandboxEvent(), sandboxEvent());
      const { epoch } = await (await service.host.engine.readModel()).head();
      await removeOldest(await service.host.engine.eventRetention(), 2);
      const [from, upTo] = [0, 2].map((position) => encodeCursor({ epoch, position: toPosition(position) }));
      const reset = { reason: 'no_longer_kept', cursor: upTo };
      const page = (await get(`/v1/events?cursor=${from}`)).body;
      expect([page.events.length, page.reset]).toEqual([1, reset]);
      expect((await get(`/v1/events?cursor=${upTo}`)).body.reset).toBeUndefined();
      const accept = 'application/cloudevents-batch+json';
      expect((await get(`/v1/events?cursor=${from}`, { accept })).headers['x-reset']).toBe('no_longer_kept');
      const { entityId } = recorded[0]?.event ?? {};
      expect((await get(`/events/${entityId}?cursor=${from}`)).body.data.reset).toEqual(reset);
    });

    it('filters by family, entity, types and time', async () => {
      await service.record(
        sandboxEvent({ type: 'execution.started', occurredAt: 1000 }),
        sandboxEvent({ type: 'executions', occurredAt: 2000 }),
        sandboxEvent({ family: 'session', entityId: 'x', type: 'execution.failed', occurredAt: 3000 }),
        sandboxEvent({ workspaceId: 2, type: 'execution.started', occurredAt: 4000 }),
      );
      const positions = async (query: string, as = key) =>
        (await service.call(`/v1/events${query}`, { key: as })).body.events.map((event: Json) => event.position);
      expect(await positions('')).toEqual([1, 2, 3]);
      expect(await positions('?family=session')).toEqual([3]);
      expect(await positions('?entityId=x')).toEqual([3]);
      expect(await positions('?types=execution.*')).toEqual([1, 3]);
      expect(await positions('?types=executions,execution.failed&order=desc')).toEqual([3, 2]);
      expect(await positions('?since=1000&until=3000')).toEqual([2]);
      expect(await positions('?workspaceId=2', OPERATOR_KEY)).toEqual([4]);
    });

    it.each(['asc', 'desc'])('pages to the end (%s), every event once', async (order) => {
      await service.record(...range(1, 300).map((n) => sandboxEvent({ workspaceId: (n % 2) + 1, data: { n } })));
      const seen: number[] = [];
      let cursor = order === 'asc' ? 'earliest' : 'latest';
      do {
        const { body } = await get(`/v1/events?order=${order}&limit=7&cursor=${cursor}`);
        seen.push(...body.events.map((event: Json) => event.data.n));
        cursor = body.nextCursor;
      } while (cursor !== undefined);
      const expected = range(1, 300).filter((n) => n % 2 === 0);
      expect(seen).toEqual(order === 'asc' ? expected : expected.reverse());
    });

    it('goes on after the head, so that a poller misses nothing', async () => {
      await service.record(sandboxEvent());
      const { headCursor } = (await get('/v1/events')).body;
      const [later] = await service.record(sandboxEvent());
      expect((await get(`/v1/events?cursor=${headCursor}`)).body.events).toEqual([later?.event]);
    });

    it('serves CloudEvents to those who ask for them', async () => {
      await service.record(sandboxEvent({ data: { n: 1 } }), sandboxEvent({ data: { n: 2 } }));
      const accept = 'text/html;q=0.1, application/CloudEvents-batch+json; q=0.9';
      const { headers, body } = await get('/v1/events?limit=1', { accept });
      expect(headers['content-type']).toBe('application/cloudevents-batch+json; charset=utf-8');
      expect(headers['x-next-cursor']).toEqual(expect.any(String));
      expect(body).toEqual([
        expect.objectContaining({ specversion: '1.0', source: '/sandbox/1/sandbox-123', data: { n: 1 } }),
      ]);
      const next = await get(`/v1/events?limit=1&cursor=${String(headers['x-next-cursor'])}`, { accept });
      expect(next.body[0].data).toEqual({ n: 2 });
      expect(next.headers['x-next-cursor']).toBeUndefined();
    });

    it.each([
      ['family=animals', 'query.family'],
      ['entityId=a%00b', 'query.entityId'],
      ['entityId=a&entityId=b', 'query.entityId'],
      ['limit=5000', 'query.limit'],
      ['cursor=%00', 'query.cursor'],
      ['type=custom', 'query.type'],
    ])('refuses ?%s', async (query, where) => {
      const { status, body } = await get(`/v1/events?${query}`);
      expect(status).toBe(400);
      expect(body.where).toBe(where);
    });
  });

  it('repeats no more of the name of a foreign parameter than is good', async () => {
    const { status, text, body } = await get(`/v1/events?${'n'.repeat(8_000)}=1`);
    expect([status, body.where]).toEqual([400, `query.${'n'.repeat(64)}`]);
    expect(text.length).toBeLessThan(400);
  });

  describe('GET /v1/events/{eventId}', () => {
    it('gives one event as it is stored, or as CloudEvent', async () => {
      const [recorded] = await service.record(sandboxEvent({ data: { text: '\ud800' }, causationId: 'c' }));
      const { id } = recorded?.event ?? { id: '' };
      expect((await get(`/v1/events/${id}`)).text).toBe(recorded?.json);
      expect((await get(`/v1/events/${id.toUpperCase()}`)).text).toBe(recorded?.json);
      const cloud = await get(`/v1/events/${id}`, { accept: 'application/cloudevents+json' });
      expect(cloud.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
      expect(cloud.body).toMatchObject({ id, causationid: 'c', specversion: '1.0' });
    });

    it('does not find what is not kept any more, as what never was', async () => {
      const [recorded] = await service.record(sandboxEvent());
      await removeOldest(await service.host.engine.eventRetention(), 1);
      for (const id of [recorded?.event.id, newEventId()]) {
        expect(await get(`/v1/events/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
      }
    });

    it('refuses what is no event id', async () => {
      for (const id of ['1', '%00', '..%2f1', 'x'.repeat(36)]) {
        expect(await get(`/v1/events/${id}`)).toMatchObject({ status: 400, body: { where: 'path.eventId' } });
      }
    });
  });

  describe('GET /v1/entities', () => {
    it('pages to the end, every entity once', async () => {
      const ids = range(1, 25).map((n) => `s-${n} ü"\\/`.replaceAll(' ', '_'));
      await service.record(
        ...ids.map((entityId) => sandboxEvent({ entityId })),
        ...ids.map((entityId) => sandboxEvent({ entityId, family: 'session' })),
        sandboxEvent({ workspaceId: 2 }),
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const { body } = await get(`/v1/entities?limit=7${cursor ? `&cursor=${cursor}` : ''}`);
        seen.push(...body.entities.map(({ family, entityId }: Json) => `${family} ${entityId}`));
        cursor = body.nextCursor;
      } while (cursor !== undefined);
      expect(seen.sort()).toEqual(
        ['sandbox', 'session'].flatMap((family) => ids.map((id) => `${family} ${id}`)).sort(),
      );
      expect((await get('/v1/entities?family=session&limit=25')).body.nextCursor).toBeUndefined();
    });

    it.each(['x', '%00', 'bm90IGpzb24', 'WzEsMl0', 'a'.repeat(3000)])('refuses the cursor %s', async (cursor) => {
      const { status, body } = await get(`/v1/entities?cursor=${cursor}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'invalid_cursor', where: 'query.cursor' });
    });
  });

  it('tells what a sandbox has been doing', async () => {
    await service.record(sandboxEvent({ type: 'execution.started' }), sandboxEvent({ type: 'execution.completed' }));
    expect((await get('/v1/sandboxes/sandbox-123')).body).toMatchObject({
      workspaceId: 1,
      sandboxId: 'sandbox-123',
      executionsStarted: 1,
      executionsCompleted: 1,
      executionsFailed: 0,
      lastPosition: 2,
    });
  });

  it('tells how far everything is, and the platform to operators alone', async () => {
    await service.record(sandboxEvent());
    const log = await service.host.engine.durableLog();
    await log.append([sandboxEvent(), sandboxEvent()]);
    await service.park({ value: 'x' });
    const head = await (await service.host.engine.readModel()).head();
    const own = { workspaceId: 1, head: { position: 1, cursor: encodeCursor(head) } };
    expect((await get('/v1/stats')).body).toEqual(own);
    const platform = await service.call('/v1/stats', { key: OPERATOR_KEY });
    expect(platform.body).toEqual({ ...own, workspaceId: null, parkedRecords: 1, lagEvents: 2 });
    const lag = await service.call('/v1/admin/lag', { key: OPERATOR_KEY });
    expect(lag.body.events).toBe(2);
    expect(lag.body.lanes.reduce((sum: number, lane: Json) => sum + lane.behind, 0)).toBe(2);
    expect((await service.call('/v1/admin/lag?x=1', { key: OPERATOR_KEY })).status).toBe(400);
  });
});
