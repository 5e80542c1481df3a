import { encodeCursor, toEpoch, toPosition } from '@sluice/event-log';
import { OPERATOR_KEY, range, sandboxEvent, startQuery, type Json, type QueryService } from './query-service';

const START = 1_700_000_000_000;
const TYPES = ['execution.started', 'file.read', 'custom'];

describe('GET /events/{sandboxId}', () => {
  let service: QueryService;
  let key: string;
  beforeEach(async () => {
    service = await startQuery();
    key = await service.key(1, 'reader');
  });
  afterEach(() => service.stop());

  const get = (query = '', sandboxId = 'sandbox-123') => service.call(`/events/${sandboxId}${query}`, { key });
  const numbers = (body: Json): number[] => body.data.events.map((event: Json) => event.data.n);

  async function recordNumbered(count: number): Promise<void> {
    await service.record(
      ...range(1, count).map((n) =>
        sandboxEvent({
          data: { n },
          occurredAt: START + n,
          type: TYPES[n % 3] ?? 'custom',
        }),
      ),
    );
  }

  it('answers in the dialect of the sandbox clients', async () => {
    const [recorded] = await service.record(sandboxEvent({ data: { text: 'ü\u0000\ud800🐚', __proto: 1 } }));
    const { status, headers, body } = await get();
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const head = await (await service.host.engine.readModel()).head();
    expect(body).toEqual({
      success: true,
      data: {
        sandboxId: 'sandbox-123',
        count: 1,
        events: [
          {
            id: recorded?.event.id,
            sandboxId: 'sandbox-123',
            workspaceId: 1,
            type: 'execution.completed',
            data: { text: 'ü\u0000\ud800🐚', __proto: 1 },
            timestamp: START,
            cursor: encodeCursor(head),
          },
        ],
      },
    });
  });

  it('gives an empty list for a sandbox that nobody knows', async () => {
    expect((await get('', 'nobody')).body).toEqual({
      success: true,
      data: { sandboxId: 'nobody', events: [], count: 0 },
    });
  });

  it('filters by type, types, prefixes, since and until', async () => {
    await recordNumbered(9);
    expect(numbers((await get('?type=custom')).body)).toEqual([2, 5, 8]);
    expect(numbers((await get('?types=custom,file.read')).body)).toEqual([1, 2, 4, 5, 7, 8]);
    expect(numbers((await get('?types=execution.*&type=custom')).body)).toEqual([2, 3, 5, 6, 8, 9]);
    expect(numbers((await get(`?since=${START + 7}`)).body)).toEqual([8, 9]);
    expect(numbers((await get(`?until=${START + 3}`)).body)).toEqual([1, 2]);
    expect(numbers((await get(`?since=${START + 2}&until=${START + 5}&order=desc`)).body)).toEqual([4, 3]);
    expect(numbers((await get('?since=0&limit=1000')).body)).toEqual(range(1, 9));
    expect(numbers((await get('?workspaceId=1&limit=1')).body)).toEqual([1]);
  });

  it('gives 100 events unless told otherwise', async () => {
    await recordNumbered(130);
    expect(numbers((await get()).body)).toEqual(range(1, 100));
    expect(numbers((await get('?limit=130')).body)).toEqual(range(1, 130));
    expect((await get('?limit=130')).body.data.nextCursor).toBeUndefined();
    expect((await get('?limit=129')).body.data.nextCursor).toEqual(expect.any(String));
  });

  it.each(['asc', 'desc'])('pages to the end (%s), every event once, while others are recorded', async (order) => {
    await recordNumbered(300);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await get(
        `?order=${order}&limit=37&types=custom,execution.*${cursor ? `&cursor=${cursor}` : ''}`,
      );
      seen.push(...numbers(body));
      cursor = body.data.nextCursor;
      await service.record(sandboxEvent({ entityId: 'another' }));
    } while (cursor !== undefined);
    const expected = range(1, 300).filter((n) => n % 3 !== 1);
    expect(seen).toEqual(order === 'asc' ? expected : expected.reverse());
  });

  it('goes on from the cursor of any event, and from the magic ones', async () => {
    await recordNumbered(5);
    const { events } = (await get()).body.data;
    expect(numbers((await get(`?cursor=${events[2].cursor}`)).body)).toEqual([4, 5]);
    expect(numbers((await get(`?cursor=${events[2].cursor}&order=desc`)).body)).toEqual([2, 1]);
    expect(numbers((await get(`?cursor=${events[0].cursor}&order=desc`)).body)).toEqual([]);
    expect(numbers((await get('?cursor=earliest')).body)).toEqual(range(1, 5));
    expect(numbers((await get('?cursor=latest')).body)).toEqual([]);
    expect(numbers((await get('?cursor=latest&order=desc&limit=2')).body)).toEqual([5, 4]);
    expect(numbers((await get('?cursor=earliest&order=desc')).body)).toEqual([]);
  });

  it('ends a page early that is too large, and misses nothing', async () => {
    await service.stop();
    service = await startQuery({ SLUICE_QUERY_MAX_PAGE: '1MiB' });
    key = await service.key(1, 'reader');
    const filler = 'x'.repeat(200_000);
    await service.record(...range(1, 12).map((n) => sandboxEvent({ data: { n, filler } })));
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const { body, text } = await get(`?limit=1000${cursor ? `&cursor=${cursor}` : ''}`);
      expect(text.length).toBeLessThan(1_100_000);
      seen.push(...numbers(body));
      cursor = body.data.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(range(1, 12));
  });

  it('says that a cursor of another numbering, or from the future, cannot be honoured', async () => {
    const { epoch } = await (await service.host.engine.readModel()).head();
    const foreign = encodeCursor({
      epoch: toEpoch(epoch === '00000000' ? '00000001' : '00000000'),
      position: toPosition(1),
    });
    const old = await get(`?cursor=${foreign}`);
    expect(old.status).toBe(400);
    expect(old.body).toMatchObject({ code: 'invalid_cursor', where: 'query.cursor' });
    expect(old.body.error).toContain('older numbering');
    const future = await get(`?cursor=${encodeCursor({ epoch, position: toPosition(7) })}`);
    expect(future.body).toMatchObject({ code: 'invalid_cursor', where: 'query.cursor' });
  });

  it.each([
    ['limit=0', 'query.limit'],
    ['limit=1001', 'query.limit'],
    ['limit=NaN', 'query.limit'],
    ['limit=', 'query.limit'],
    ['limit=1.5', 'query.limit'],
    ['limit=-1', 'query.limit'],
    ['limit=1e2', 'query.limit'],
    ['limit=%2010', 'query.limit'],
    ['limit=99999999999999999999', 'query.limit'],
    ['limit=1&limit=2', 'query.limit'],
    ['limit[]=1', 'query.limit[]'],
    ['since=-1', 'query.since'],
    ['since=1.5', 'query.since'],
    ['since=9999999999999999', 'query.since'],
    ['until=soon', 'query.until'],
    ['order=up', 'query.order'],
    ['type=', 'query.type'],
    ['type=a%00b', 'query.type'],
    ['type=a&type=b', 'query.type'],
    ['types=a,,b', 'query.types.1'],
    [`types=${'a,'.repeat(100)}a`, 'query.types'],
    ['cursor=nonsense', 'query.cursor'],
    ['cursor=1-zzzzzzzz-1', 'query.cursor'],
    ['workspaceId=one', 'query.workspaceId'],
    ['workspaceId=4294967296', 'query.workspaceId'],
    ['sinc=1', 'query.sinc'],
    ['__proto__=1', 'query.__proto__'],
    ['constructor=1', 'query.constructor'],
  ])('refuses ?%s', async (query, where) => {
    const { status, body, text } = await get(`?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, where });
    expect(text).not.toContain('\n');
  });

  it.each([
    ['%00', 400],
    ['a%00b', 400],
    ['a%0d%0ab', 400],
    ['%ed%a0%80', 400],
    ['%zz', 400],
    ['x'.repeat(257), 400],
    ['x'.repeat(2000), 400],
    ['..%2f..%2fetc', 200],
    ["'%3bDROP%20TABLE", 400],
    ['__proto__', 200],
  ])('answers the id %s with %d', async (id, status) => {
    const answer = await get('', id);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body.data.events).toEqual([]);
    else expect(answer.body.code).toBe('invalid_request');
  });

  it('lets an operator name the workspace, and asks for it', async () => {
    await service.record(sandboxEvent({ workspaceId: 2, data: { n: 2 } }));
    const without = await service.call('/events/sandbox-123', { key: OPERATOR_KEY });
    expect(without.status).toBe(400);
    expect(without.body.where).toBe('query.workspaceId');
    const answer = await service.call('/events/sandbox-123?workspaceId=2', { key: OPERATOR_KEY });
    expect(numbers(answer.body)).toEqual([2]);
  });
});
