import { STORED, useHttpBench } from '../test/http-bench';
import { rejection } from '../test/until';
import { succeed } from '../test/scripted-http-server';
import { EventsError } from './index';

const { server, client } = useHttpBench();

function keyOf(index: number): string | string[] | undefined {
  return server.seen[index]?.headers['idempotency-key'];
}

describe('storeEvent', () => {
  it('posts type and data with the bearer token and gives what was stored', async () => {
    server.script = (response) => succeed(response, STORED, 201);
    await expect(client().storeEvent({ type: 'custom', data: { a: 1 } })).resolves.toEqual(STORED);
    const [request] = server.seen;
    expect(request).toMatchObject({ method: 'POST', url: '/events' });
    expect(request?.headers).toMatchObject({ authorization: 'Bearer token', 'content-type': 'application/json' });
    expect(JSON.parse(request?.body ?? '')).toEqual({ type: 'custom', data: { a: 1 } });
  });

  it('sends {} for missing data, accepts 202 and passes ack on', async () => {
    server.script = (response) => succeed(response, STORED, 202);
    await client().storeEvent({ type: 'custom', ack: 'log' });
    expect(server.seen[0]).toMatchObject({ url: '/events?ack=log', body: '{"type":"custom","data":{}}' });
  });

  it('repeats one idempotency key over its retries and makes another one for each call', async () => {
    server.script = (response, _request, index) =>
      index < 2 ? void response.writeHead(503).end('busy') : succeed(response, STORED);
    await client().storeEvent({ type: 'custom' });
    await client().storeEvent({ type: 'custom' });
    expect(server.seen).toHaveLength(4);
    expect(keyOf(0)).toMatch(/^[0-9a-f-]{36}$/);
    expect(keyOf(1)).toBe(keyOf(0));
    expect(keyOf(2)).toBe(keyOf(0));
    expect(keyOf(3)).not.toBe(keyOf(0));
  });

  it('uses the idempotency key of the caller and refuses one that no header can carry', async () => {
    server.script = (response) => succeed(response, STORED);
    await client().storeEvent({ type: 'custom', idempotencyKey: 'order-7' });
    expect(keyOf(0)).toBe('order-7');
    await expect(client().storeEvent({ type: 'custom', idempotencyKey: 'a\r\nb: c' })).rejects.toThrow(EventsError);
    expect(server.seen).toHaveLength(1);
  });

  it('retries when the connection breaks before or inside the answer', async () => {
    server.script = (response, _request, index) => {
      if (index === 0) response.socket?.destroy();
      else if (index === 1)
        response.writeHead(200, { 'content-length': '900' }).write('{"succ', () => response.destroy());
      else succeed(response, STORED);
    };
    await expect(client().storeEvent({ type: 'custom' })).resolves.toEqual(STORED);
    expect(new Set(server.seen.map((_request, index) => keyOf(index))).size).toBe(1);
    expect(server.seen).toHaveLength(3);
  });

  it('refuses data that is not JSON and a token that no header can carry, without showing the token', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(await rejection(client().storeEvent({ type: 'custom', data: circular }))).toBeInstanceOf(EventsError);
    const error = await rejection(client({ accessToken: 'secret\r\nx' }).storeEvent({ type: 'custom' }));
    expect(error).toBeInstanceOf(EventsError);
    expect(error.message).not.toContain('secret');
    expect(server.seen).toHaveLength(0);
  });
});

describe('storeEvents', () => {
  it('posts the batch and gives the results in order', async () => {
    const results = [STORED, { ...STORED, eventId: 'e2' }];
    server.script = (response) => succeed(response, { events: results, count: 2 });
    const stored = await client().storeEvents([{ type: 'a', data: { n: 1 } }, { type: 'b' }], { ack: 'projected' });
    expect(stored).toEqual({ events: results, count: 2 });
    expect(server.seen[0]?.url).toBe('/events?ack=projected');
    const body: unknown = JSON.parse(server.seen[0]?.body ?? '');
    expect(body).toEqual({
      events: [
        { type: 'a', data: { n: 1 } },
        { type: 'b', data: {} },
      ],
    });
    expect(keyOf(0)).toBeDefined();
  });

  it('needs no request for an empty batch', async () => {
    await expect(client().storeEvents([])).resolves.toEqual({ events: [], count: 0 });
    expect(server.seen).toHaveLength(0);
  });
});

describe('getEvents', () => {
  const EVENT = { ...STORED, id: 'e1', workspaceId: 1, data: {}, cursor: 'c1' };
  const page = (nextCursor?: string) => ({ sandboxId: 'sandbox-123', events: [EVENT], count: 1, nextCursor });

  it('asks with the API key and gives the events', async () => {
    server.script = (response) => succeed(response, page());
    await expect(client().getEvents('sandbox-123')).resolves.toEqual([EVENT]);
    expect(server.seen[0]).toMatchObject({ method: 'GET', url: '/events/sandbox-123' });
    expect(server.seen[0]?.headers['x-api-key']).toBe('key');
  });

  it('tolerates slashes after gatewayUrl and encodes the sandbox id', async () => {
    server.script = (response) => succeed(response, page());
    await client({ gatewayUrl: `${server.url}//` }).getEvents('a/../b?c#d é');
    expect(server.seen[0]?.url).toBe('/events/a%2F..%2Fb%3Fc%23d%20%C3%A9');
  });

  it.each(['', '.', '..', '\ud800'])('refuses the sandbox id %j locally', async (id) => {
    await expect(client().getEvents(id)).rejects.toThrow(EventsError);
    expect(server.seen).toHaveLength(0);
  });

  it('sends every option, since 0 included', async () => {
    server.script = (response) => succeed(response, page());
    await client().getEvents('s', {
      type: 'a b',
      types: ['x', 'y'],
      since: 0,
      until: 12.7,
      limit: 5,
      cursor: 'c=1',
      order: 'desc',
    });
    const query = new URL(server.seen[0]?.url ?? '', server.url).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      type: 'a b',
      types: 'x,y',
      since: '0',
      until: '12',
      limit: '5',
      cursor: 'c=1',
      order: 'desc',
    });
  });

  it.each([
    [-3, '1'],
    [0, '1'],
    [10.9, '10'],
    [5_000, '1000'],
    [Number.POSITIVE_INFINITY, '1000'],
  ])('clamps limit %d to %s', async (limit, sent) => {
    server.script = (response) => succeed(response, page());
    await client().getEvents('s', { limit });
    expect(server.seen[0]?.url).toBe(`/events/s?limit=${sent}`);
  });

  it.each([{ limit: Number.NaN }, { since: Number.NaN }, { until: Number.POSITIVE_INFINITY }, { types: ['a,b'] }])(
    'refuses %j locally',
    async (options) => {
      await expect(client().getEvents('s', options)).rejects.toThrow(EventsError);
      expect(server.seen).toHaveLength(0);
    },
  );

  it('gives a page with its next cursor, and iterates over all pages', async () => {
    server.script = (response, _request, index) => succeed(response, page(index === 2 ? undefined : `c${index}`));
    await expect(client().getEventsPage('s')).resolves.toEqual({ events: [EVENT], count: 1, nextCursor: 'c0' });
    const ids: string[] = [];
    for await (const event of client().iterateEvents('s', { type: 't', limit: 1 })) ids.push(event.id);
    expect(ids).toEqual(['e1', 'e1']);
    expect(server.seen.map(({ url }) => url).slice(1)).toEqual([
      '/events/s?type=t&limit=1',
      '/events/s?type=t&limit=1&cursor=c1',
    ]);
  });

  it('does not iterate for ever over a page that repeats', async () => {
    server.script = (response) => succeed(response, page('same'));
    const drain = async () => {
      for await (const event of client().iterateEvents('s')) expect(event.id).toBe('e1');
    };
    await expect(drain()).rejects.toThrow('same page cursor');
    expect(server.seen).toHaveLength(2);
  });
});
