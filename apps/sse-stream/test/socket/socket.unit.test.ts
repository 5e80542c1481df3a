import { decodeCursor, encodeCursor, toEpoch, toPosition } from '@sluice/event-log';
import { recordAndRemove, until } from '@sluice/event-log/conformance';
import { registryEventOf } from '../events';
import { range, sandboxEvent, startSockets, taskCreated, type SocketService } from './socket-service';

const NEW_EPOCH = toEpoch('0badcafe');
const many = (count: number) => range(1, count).map((n) => sandboxEvent({ data: { n } }));

describe('GET /v1/socket', () => {
  let service: SocketService;
  beforeEach(async () => {
    service = await startSockets();
  });
  afterEach(() => service.stop());
  const feedCounts = async () => (await service.host.feed()).counts;

  it('says hello with its limits', async () => {
    const client = await service.connect('/v1/socket');
    expect((await client.receives('hello')).limits).toEqual({
      messageBytes: 65_536,
      messagesPerSecond: 100,
      subscriptions: 32,
      initialCredit: 256,
      maxCredit: 10_000,
      pingIntervalMs: 30_000,
      stallTimeoutMs: 30_000,
    });
    client.say({ type: 'ping' });
    await client.receives('pong');
  });

  it('sends what was recorded before and after, in order, and says when it has caught up', async () => {
    const before = await service.record(...many(3));
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'a', filter: {}, cursor: 'earliest' });
    await client.receives('caught_up');
    const after = await service.record(...many(2));
    await client.receivesEvents(5);
    expect(client.events('a')).toEqual([...before, ...after].map(({ event }) => event));
    expect(client.messages.slice(0, 4).map(({ type }) => type)).toEqual(['hello', 'subscribed', 'events', 'caught_up']);
    expect(decodeCursor(client.of('subscribed')[0].cursor).position).toBe(0);
    for (const { events, cursor } of client.of('events')) {
      expect(decodeCursor(cursor).position).toBe(events.at(-1).position);
    }
    expect(decodeCursor(client.of('caught_up')[0].cursor).position).toBe(3);
  });

  it('keeps subscriptions of one connection apart', async () => {
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'one', filter: { entityIds: ['e1'] } });
    client.say({ type: 'subscribe', id: 'tasks', filter: { families: ['workspace'], types: ['task_created'] } });
    client.say({ type: 'subscribe', id: 'all' });
    await client.receives('subscribed', 3);
    await service.record(
      sandboxEvent({ entityId: 'e1' }),
      taskCreated('t1'),
      sandboxEvent({ entityId: 'e2' }),
      sandboxEvent({ workspaceId: 2 }),
      sandboxEvent({ entityId: 'e1' }),
    );
    await client.receivesEvents(4, 'all');
    expect(client.positions('one')).toEqual([1, 5]);
    expect(client.positions('tasks')).toEqual([2]);
    expect(client.positions('all')).toEqual([1, 2, 3, 5]);
    client.say({ type: 'unsubscribe', id: 'all' });
    await client.receives('unsubscribed');
    await service.record(sandboxEvent({ entityId: 'e1' }));
    await client.receivesEvents(3, 'one');
    expect(client.positions('all')).toEqual([1, 2, 3, 5]);
    expect((await feedCounts()).subscriptions).toBe(2);
    // The name is free again.
    client.say({ type: 'subscribe', id: 'all' });
    await client.receives('subscribed', 4);
  });

  it('shows registry events to everybody, where they are asked for by name', async () => {
    const clients = [1, 2].map(async (workspaceId) => {
      const client = await service.connect('/v1/socket', { key: await service.key({ workspaceId }) });
      client.say({ type: 'subscribe', id: 'one', filter: { families: ['registry'], chainIds: [1, 8453] } });
      client.say({ type: 'subscribe', id: 'both', filter: { families: ['registry', 'sandbox'] } });
      client.say({ type: 'subscribe', id: 'own' });
      await client.receives('subscribed', 3);
      return client;
    });
    const [first, second] = await Promise.all(clients);
    await service.record(
      registryEventOf('1:7'),
      registryEventOf('11155111:7'),
      sandboxEvent(),
      registryEventOf('8453:1'),
      sandboxEvent({ workspaceId: 2 }),
      sandboxEvent(),
    );
    await first?.receivesEvents(2, 'own');
    await second?.receivesEvents(1, 'own');
    const seen = [first, second].map((client) => ['one', 'both', 'own'].map((id) => client?.positions(id)));
    expect(seen).toEqual([
      [
        [1, 4],
        [1, 2, 3, 4, 6],
        [3, 6],
      ],
      [[1, 4], [1, 2, 4, 5], [5]],
    ]);
  });

  it('sends the recorded bytes, whatever they are, alone or in company', async () => {
    const texts = ['"\\\n\u2028\u0000', 'ключ 🔑', 'x'.repeat(70_000), '', 'y'.repeat(150_000)];
    const recorded = await service.record(...texts.map((text) => sandboxEvent({ data: { text } })));
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'é"\\', filter: {}, cursor: 'earliest' });
    await client.receivesEvents(texts.length);
    expect(client.events('é"\\')).toEqual(recorded.map(({ event }) => event));
    const all = client.texts.join('');
    for (const { json } of recorded) expect(all).toContain(json);
  });

  it('resumes after any cursor, without a gap or a duplicate (G5)', async () => {
    await service.record(...many(10));
    const first = await service.connect('/v1/socket');
    first.say({ type: 'subscribe', id: 'a', cursor: 'earliest', credit: 4 });
    await first.receivesEvents(4);
    const { cursor } = first.of('events').at(-1);
    first.destroy();
    const second = await service.connect('/v1/socket');
    second.say({ type: 'subscribe', id: 'b', cursor });
    await second.receivesEvents(6);
    expect([...first.positions(), ...second.positions()]).toEqual(range(1, 10));
    expect(second.of('subscribed')[0]).toEqual({ type: 'subscribed', id: 'b', cursor });
  });

  it('says so when something is not kept any more, and goes on from there (G5)', async () => {
    const [first] = await service.record(sandboxEvent());
    const { epoch } = await (await service.host.engine.readModel()).head();
    await recordAndRemove(service.host.engine, many(2));
    const client = await service.connect('/v1/socket');
    const cursor = encodeCursor({ epoch, position: toPosition(first?.event.position ?? 0) });
    client.say({ type: 'subscribe', id: 'a', cursor });
    await service.record(sandboxEvent());
    await client.receivesEvents(1);
    expect(client.of('reset')).toMatchObject([{ id: 'a', reason: 'no_longer_kept' }]);
    expect(decodeCursor(client.of('reset')[0].cursor).position).toBe(3);
    expect(client.positions()).toEqual([4]);
  });

  it('says so when a cursor cannot be honoured (G5)', async () => {
    await service.record(...many(2));
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'a', cursor: '1-00000000-1' });
    const { cursor, reset } = await client.receives('subscribed');
    expect([decodeCursor(cursor).position, reset]).toEqual([2, { reason: 'epoch_changed' }]);
    await service.record(sandboxEvent());
    await client.receivesEvents(1);
    expect(client.positions()).toEqual([3]);
  });

  describe('credit', () => {
    it('is never exceeded, and more of it goes on exactly there', async () => {
      await service.record(...many(20));
      const client = await service.connect('/v1/socket');
      client.say({ type: 'subscribe', id: 'a', cursor: 'earliest', credit: 3 });
      await client.receivesEvents(3);
      await service.record(...many(5));
      client.say({ type: 'ping' });
      await client.receives('pong');
      expect(client.positions()).toEqual([1, 2, 3]);
      client.say({ type: 'credit', id: 'a', events: 7 });
      client.say({ type: 'credit', id: 'a', events: 5 });
      await client.receivesEvents(15);
      client.say({ type: 'ping' });
      await client.receives('pong', 2);
      expect(client.positions()).toEqual(range(1, 15));
      expect(client.of('caught_up')).toEqual([]);
      client.say({ type: 'credit', id: 'a', events: 10 });
      await client.receives('caught_up');
      expect(client.positions()).toEqual(range(1, 25));
    });

    it('is needed for events alone', async () => {
      const client = await service.connect('/v1/socket');
      client.say({ type: 'subscribe', id: 'a', credit: 0 });
      await client.receives('caught_up');
      await service.record(...many(3));
      client.say({ type: 'ping' });
      await client.receives('pong');
      expect(client.events()).toEqual([]);
      // What waits for it waits in the subscription, and a resume is told from there.
      client.say({ type: 'credit', id: 'a', events: 2 });
      await client.receivesEvents(2);
      expect(client.positions()).toEqual([1, 2]);
    });

    it('is 256 events unless the subscription says otherwise', async () => {
      await service.record(...many(300));
      const client = await service.connect('/v1/socket');
      client.say({ type: 'subscribe', id: 'a', cursor: 'earliest' });
      await client.receivesEvents(256);
      client.say({ type: 'ping' });
      await client.receives('pong');
      expect(client.positions()).toEqual(range(1, 256));
    });

    it('has a maximum', async () => {
      const client = await service.connect('/v1/socket');
      client.say({ type: 'subscribe', id: 'a', credit: 10_001 });
      expect(await client.receives('error')).toMatchObject({ code: 'invalid_request', where: 'credit', id: 'a' });
      client.say({ type: 'subscribe', id: 'a', credit: 9_999 });
      await client.receives('subscribed');
      client.say({ type: 'credit', id: 'a', events: 2 });
      expect(await client.receives('error', 2)).toMatchObject({ code: 'invalid_request', where: 'events', id: 'a' });
      client.say({ type: 'credit', id: 'a', events: 1 });
      client.say({ type: 'ping' });
      await client.receives('pong');
      expect(client.of('error')).toHaveLength(2);
    });

    it('that is not granted for too long ends a live subscription with events as slow, and no other (G9)', async () => {
      await service.stop();
      service = await startSockets({ stallTimeoutMs: 1_500 });
      const client = await service.connect('/v1/socket');
      client.say({ type: 'subscribe', id: 'stingy', credit: 1 });
      client.say({ type: 'subscribe', id: 'idle', credit: 0, filter: { entityIds: ['nobody'] } });
      client.say({ type: 'subscribe', id: 'other' });
      await client.receives('caught_up', 3);
      await service.record(...many(3));
      const ended = await client.receives('ended');
      expect(ended).toMatchObject({ id: 'stingy', code: 'slow_subscriber', retryable: true });
      expect(decodeCursor(ended.cursor).position).toBe(1);
      expect(client.positions('other')).toEqual([1, 2, 3]);
      // Resuming from there goes on without a gap.
      client.say({ type: 'subscribe', id: 'stingy', cursor: ended.cursor });
      await client.receivesEvents(3, 'stingy');
      expect(client.positions('stingy')).toEqual([1, 2, 3]);
      expect(client.of('ended')).toHaveLength(1);
      expect(client.end).toBeUndefined();
    });
  });

  it('keeps the cursors of idle subscriptions fresh, never beyond an event that is owed', async () => {
    await service.stop();
    // Long enough that a busy machine answers in time.
    service = await startSockets({ pingIntervalMs: 2_500, sweepMs: 10 });
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'idle', filter: { types: ['never'] } });
    client.say({ type: 'subscribe', id: 'owed', credit: 0, filter: { entityIds: ['mine'] } });
    await client.receives('caught_up', 2);
    await service.record(sandboxEvent(), sandboxEvent(), sandboxEvent({ entityId: 'mine' }), sandboxEvent());
    const at = (id: string) => {
      const last = client.of('events', id).at(-1);
      return last && decodeCursor(last.cursor).position;
    };
    await until(() => at('idle') === 4, 'the cursor moves on');
    await until(() => at('owed') === 2, 'the other one does too');
    expect(client.events()).toEqual([]);
    client.say({ type: 'credit', id: 'owed', events: 1 });
    await client.receivesEvents(1, 'owed');
    await until(() => at('owed') === 4, 'nothing is owed any more');
  });

  it('tells subscribers of a new numbering (G5)', async () => {
    const client = await service.connect('/v1/socket');
    client.say({ type: 'subscribe', id: 'a' });
    client.say({ type: 'subscribe', id: 'b', credit: 0 });
    await client.receives('caught_up', 2);
    const deliveryLog = await service.host.engine.deliveryLog();
    const [first] = await service.record(sandboxEvent());
    await client.receivesEvents(1, 'a');
    if (!first) throw new Error('nothing was recorded');
    // A memory read model never changes its numbering; this one says that it has.
    const readModel = await service.host.engine.readModel();
    const { head } = readModel;
    jest.spyOn(readModel, 'head').mockImplementation(async () => ({
      ...(await head.call(readModel)),
      epoch: NEW_EPOCH,
    }));
    await deliveryLog.publish({ epoch: NEW_EPOCH, events: [first] });
    for (const id of ['a', 'b']) {
      await until(() => client.of('reset', id).length === 1, 'the reset is told');
      const [reset] = client.of('reset', id);
      expect(reset).toMatchObject({ reason: 'epoch_changed' });
      expect(decodeCursor(reset.cursor).epoch).toBe(NEW_EPOCH);
    }
  });
});
