import { decodeCursor, encodeCursor, toEpoch, toPosition } from '@sluice/event-log';
import { recordAndRemove, until } from '@sluice/event-log/conformance';
import { OPERATOR_KEY, range, sandboxEvent, startStreams, type StreamService } from './stream-service';
import type { SseClient } from './sse-client';

describe('GET /v1/stream', () => {
  let service: StreamService;
  let key: string;
  beforeEach(async () => {
    service = await startStreams({ heartbeatMs: 3_600_000, retryMs: 1_234 });
    key = await service.key();
  });
  afterEach(() => service.stop());

  const recordMany = (from: number, to: number) =>
    service.record(...range(from, to).map((n) => sandboxEvent({ data: { n } })));
  const cursorAt = async (position: number) => {
    const { epoch } = await (await service.host.engine.readModel()).head();
    return encodeCursor({ epoch, position: toPosition(position) });
  };
  /** Resolves when the stream has said where it begins. */
  const begun = (client: SseClient) =>
    until(() => client.outputs.some(({ kind }) => kind === 'mark' || kind === 'event'), 'the stream begins');

  it('answers as an event stream that no proxy may change or hold back', async () => {
    const client = await service.open('', { key });
    expect(client.status).toBe(200);
    expect(client.header('content-type')).toBe('text/event-stream');
    expect(client.header('cache-control')).toBe('no-store, no-transform');
    expect(client.header('x-accel-buffering')).toBe('no');
    expect(client.header('content-length')).toBeUndefined();
    expect(client.header('content-encoding')).toBeUndefined();
    expect(client.header('x-request-id')).toMatch(/./);
    await begun(client);
    expect(client.retryMs).toBe(1_234);
  });

  it('brings recorded events as they are, each with its cursor', async () => {
    const client = await service.open('', { key });
    const [recorded] = await service.record(sandboxEvent({ data: { text: 'ü\u0000\ud800🐚' } }));
    await client.receives(1);
    expect(client.data()).toEqual([JSON.parse(recorded?.json ?? '')]);
    const event = client.outputs.find(({ kind }) => kind === 'event');
    expect(event).toMatchObject({ type: 'execution.completed', lastEventId: await cursorAt(1) });
  });

  it.each([
    ['', [4, 5]],
    ['?cursor=latest', [4, 5]],
    ['?cursor=earliest', [1, 2, 3, 4, 5]],
    ['?lastEventId=earliest', [1, 2, 3, 4, 5]],
  ])('begins where it is told: "%s"', async (query, expected) => {
    await recordMany(1, 3);
    const client = await service.open(query, { key });
    await begun(client);
    await recordMany(4, 5);
    await client.receives(expected.length);
    expect(client.positions).toEqual(expected);
  });

  it('goes on after a cursor; the header goes before the parameters, and an empty one counts for nothing', async () => {
    await recordMany(1, 5);
    const two = await cursorAt(2);
    const four = await cursorAt(4);
    const attempts = [
      [await service.open(`?cursor=${two}`, { key }), [3, 4, 5]],
      [await service.open('', { key, lastEventId: four }), [5]],
      [await service.open('?cursor=earliest', { key, lastEventId: four }), [5]],
      [await service.open(`?cursor=earliest&lastEventId=${four}`, { key }), [5]],
      [await service.open(`?cursor=${four}`, { key, lastEventId: '' }), [5]],
    ] as const;
    for (const [client, expected] of attempts) {
      await client.receives(expected.length);
      expect(client.positions).toEqual(expected);
    }
  });

  it('says where it really begins, before any event', async () => {
    await recordMany(1, 3);
    for (const [query, position] of [
      ['', 3],
      ['?cursor=earliest', 0],
      [`?cursor=${await cursorAt(2)}`, 2],
    ] as const) {
      const client = await service.open(query, { key });
      await begun(client);
      expect(client.header('last-event-id')).toBe(await cursorAt(position));
      expect(client.outputs.find(({ kind }) => kind === 'mark')).toEqual({
        kind: 'mark',
        lastEventId: await cursorAt(position),
      });
    }
  });

  it('says to who resumes, and to who is there, that something is not kept any more, and goes on from there (G5)', async () => {
    await recordMany(1, 2);
    const live = await service.open('', { key });
    await begun(live);
    await recordAndRemove(service.host.engine, [sandboxEvent(), sandboxEvent()]);
    const resumed = await service.open('', { key, lastEventId: await cursorAt(3) });
    await recordMany(5, 6);
    for (const client of [live, resumed]) {
      await client.receives(2);
      const [{ cursor }] = client.data('reset') as [{ cursor: string }];
      expect(client.data('reset')).toEqual([{ reason: 'no_longer_kept', cursor }]);
      expect(decodeCursor(cursor).position).toBe(4);
      expect(client.outputs.find((output) => output.kind === 'event' && output.type === 'reset')).toMatchObject({
        lastEventId: cursor,
      });
      expect(client.positions).toEqual([5, 6]);
    }
    const others = await service.open('?family=session', { key, lastEventId: await cursorAt(3) });
    await service.record(sandboxEvent({ family: 'session', entityId: 's-1' }));
    await others.receives(1);
    expect([others.positions, others.data('reset')]).toEqual([[7], []]);
  });

  it('tells who begins at what is kept, and resumes from there, nothing of what was gone before (G5)', async () => {
    const session = () => sandboxEvent({ family: 'session', entityId: 's-1' });
    await recordAndRemove(service.host.engine, [sandboxEvent(), sandboxEvent()]);
    await service.record(session());
    await recordAndRemove(service.host.engine, [sandboxEvent()]);
    await service.record(session());
    const first = await service.open('?cursor=earliest', { key });
    await first.receives(2);
    const [cursor] = first.outputs.flatMap((output) => (output.kind === 'event' ? [output.lastEventId] : []));
    const resumed = await service.open('', { key, lastEventId: cursor ?? '' });
    await resumed.receives(1);
    expect([first.positions, resumed.positions]).toEqual([[3, 5], [5]]);
    expect([...first.data('reset'), ...resumed.data('reset')]).toEqual([]);
  });

  it('answers a cursor of another numbering, or from the future, by an explicit reset to the head (G5)', async () => {
    await recordMany(1, 3);
    const { epoch } = await (await service.host.engine.readModel()).head();
    const foreign = toEpoch(epoch === '00000000' ? '00000001' : '00000000');
    for (const [cursor, reason] of [
      [encodeCursor({ epoch: foreign, position: toPosition(1) }), 'epoch_changed'],
      [await cursorAt(4_000), 'future_cursor'],
    ] as const) {
      const client = await service.open('', { key, lastEventId: cursor });
      const head = await cursorAt((await (await service.host.engine.readModel()).head()).position);
      expect(client.status).toBe(200);
      await until(() => client.data('reset').length === 1, 'the reset');
      expect(client.outputs.filter(({ kind }) => kind !== 'retry')[0]).toEqual({
        kind: 'event',
        type: 'reset',
        data: JSON.stringify({ reason, cursor: head }),
        lastEventId: head,
      });
      expect(client.header('last-event-id')).toBe(head);
      const [next] = await service.record(sandboxEvent());
      await client.receives(1);
      expect(client.positions).toEqual([next?.event.position]);
      expect(await service.metric(`sluice_resets_total{reason="${reason}"}`)).toBe(1);
    }
  });

  it.each([
    ['cursor=nonsense', 'invalid_cursor'],
    ['cursor=', 'invalid_cursor'],
    ['cursor=1-zzzzzzzz-1', 'invalid_cursor'],
    ['cursor=1-00000000-1%0d%0aX:%20y', 'invalid_cursor'],
    ['cursor=EARLIEST', 'invalid_cursor'],
    [`cursor=${'1'.repeat(65)}`, 'invalid_request'],
    ['cursor=latest&cursor=earliest', 'invalid_request'],
    ['lastEventId=0', 'invalid_cursor'],
    ['family=weather', 'invalid_request'],
    ['family=', 'invalid_request'],
    ['types=', 'invalid_request'],
    ['types=a%20b', 'invalid_request'],
    ['types=a%0d%0ab', 'invalid_request'],
    [`types=${range(1, 101).join(',')}`, 'invalid_request'],
    ['entityId=%00', 'invalid_request'],
    ['workspaceId=one', 'invalid_request'],
    ['workspaceId=-1', 'invalid_request'],
    ['workspaceId=4294967296', 'invalid_request'],
    ['unknown=1', 'invalid_request'],
    ['__proto__=1', 'invalid_request'],
    ['constructor=1', 'invalid_request'],
  ])('refuses ?%s', async (query, code) => {
    const client = await service.open(`?${query}`, { key });
    expect(client.status).toBe(400);
    const body = await client.json();
    expect(body).toMatchObject({ success: false, code, where: expect.any(String) });
    expect(client.text).not.toMatch(/[\r\n]/);
  });

  it('refuses a bad Last-Event-ID', async () => {
    for (const lastEventId of ['nonsense', '1-00000000-1, 1-00000000-2', '9'.repeat(5_000)]) {
      const client = await service.open('', { key, lastEventId });
      expect(client.status).toBe(400);
      expect((await client.json()).code).toBe('invalid_cursor');
    }
  });

  it('filters by family, entity, types and workspace', async () => {
    const variants = [
      { type: 'execution.started' },
      { type: 'execution.completed', entityId: 'b' },
      { type: 'executions' },
      { type: 'file.read', entityId: 'b' },
      { type: 'file.read', family: 'session' as const, entityId: 's-1' },
      { type: 'execution.started', workspaceId: 2 },
    ];
    await service.record(...variants.map((variant) => sandboxEvent(variant)));
    const cases: [string, number[], string?][] = [
      ['', [1, 2, 3, 4, 5]],
      ['family=sandbox', [1, 2, 3, 4]],
      ['family=sandbox,session', [1, 2, 3, 4, 5]],
      ['family=sandbox&family=session', [1, 2, 3, 4, 5]],
      ['entityId=b', [2, 4]],
      ['entityId=b&entityId=s-1', [2, 4, 5]],
      ['types=execution.*', [1, 2]],
      ['types=execution.started,file.read', [1, 4, 5]],
      ['types=file.read&entityId=b,s-1&family=session', [5]],
      ['workspaceId=1&types=execution.started', [1]],
      ['workspaceId=2', [6], OPERATOR_KEY],
    ];
    for (const [query, expected, as = key] of cases) {
      const client = await service.open(`?cursor=earliest&${query}`, { key: as });
      // One more, that only an open filter lets through live, shows that nothing else came before it.
      await client.receives(expected.length);
      expect([query, client.positions]).toEqual([query, expected]);
      client.destroy();
    }
    const live = await service.open('?types=file.*&entityId=b', { key });
    await begun(live);
    await service.record(...variants.map((variant) => sandboxEvent(variant)));
    await live.receives(1);
    await service.record(...variants.map((variant) => sandboxEvent(variant)));
    await live.receives(2);
    expect(live.positions).toEqual([10, 16]);
  });

  it('breaks no frame, whatever is in the data', async () => {
    const client = await service.open('', { key });
    await begun(client);
    const texts = [
      '\n\ndata: forged\n\n',
      '\r\nid: forged\r\n\r\n',
      '\revent: end\r',
      '\u2028\u2029\u0085',
      '\ufeff',
      ':',
    ];
    await service.record(...texts.map((text) => sandboxEvent({ data: { [text]: text } })));
    await client.receives(texts.length);
    expect(client.data().map(({ data }) => data)).toEqual(texts.map((text) => ({ [text]: text })));
    expect(client.data('end', 'reset', 'forged')).toEqual([]);
    expect(decodeCursor(client.lastEventId).position).toBe(texts.length);
  });

  it('sees each event once through 20 cuts at random places (G2)', async () => {
    const total = 3_000;
    const seen: number[] = [];
    const writing = (async () => {
      for (const n of range(1, total / 10)) {
        await recordMany(n * 10 - 9, n * 10);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    let lastEventId = 'earliest';
    for (const cut of range(1, 20)) {
      const client = await service.open('', { key, lastEventId });
      const wanted = 1 + Math.floor(Math.random() * 120);
      await client.receives(wanted);
      client.destroy();
      seen.push(...client.positions);
      lastEventId = client.lastEventId;
      expect([cut, lastEventId]).toEqual([cut, await cursorAt(seen.at(-1) ?? 0)]);
    }
    await writing;
    const last = await service.open('', { key, lastEventId });
    await last.receives(total - seen.length);
    expect([...seen, ...last.positions]).toEqual(range(1, total));
  });

  it.each(['HEAD', 'POST', 'PUT', 'DELETE'])('has no %s, and keeps nothing of it', async (method) => {
    const client = await service.open('', { key, method });
    expect(client.status).toBe(405);
    expect(client.header('allow')).toBe('GET');
    expect((await service.host.feed()).counts.subscriptions).toBe(0);
  });
});
