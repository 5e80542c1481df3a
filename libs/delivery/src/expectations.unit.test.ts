import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { newEventId } from '@sluice/event-schema';
import { HostileDeliveryLog } from '../test/hostile-delivery-log';
import { numbers, World } from '../test/world';

const PATIENCE_MS = 20_000;

describe('EventFeed.expect', () => {
  const worlds: World[] = [];
  const started = async (world = new World({ lookUpDelayMs: 60_000 })) => {
    worlds.push(world);
    await world.feed.start();
    return world;
  };
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map(({ feed }) => feed.stop()));
  });

  it('resolves when the feed has shown all ids, without a look-up', async () => {
    const world = await started();
    const [a, b] = [newEventId(), newEventId()];
    const expectation = world.feed.expect([a, b, a]);
    const within = expectation.within(PATIENCE_MS);
    await world.recordAndPublish({ id: a });
    await world.recordAndPublish({ id: b });
    const { events: found } = await within;
    expect([...found].map(([id, { position }]) => [id, position])).toEqual([
      [a, 1],
      [b, 2],
    ]);
    expect(world.reader.calls.findByIds).toBe(0);
    expect(world.feed.counts.expectedIds).toBe(0);
  });

  it('does not miss an event that is shown before the wait begins', async () => {
    const world = await started();
    const id = newEventId();
    const expectation = world.feed.expect([id]);
    await world.recordAndPublish({ id });
    expect((await expectation.within(PATIENCE_MS)).events.get(id)?.position).toBe(1);
  });

  it('serves several that wait for the same event', async () => {
    const world = await started();
    const id = newEventId();
    const all = [world.feed.expect([id]), world.feed.expect([id, newEventId()]), world.feed.expect([id])];
    all[1]?.cancel();
    await world.recordAndPublish({ id });
    const found = await Promise.all(all.map((expectation) => expectation.within(PATIENCE_MS)));
    expect(found.map(({ events }) => events.size)).toEqual([1, 0, 1]);
  });

  it('looks up what was recorded long ago, for all that are overdue at once', async () => {
    const world = await started(new World());
    const ids = numbers(1, 50).map(() => newEventId());
    await world.recordAndPublish(...ids.map((id) => ({ id })));
    const waits = ids.map((id) => world.feed.expect([id]).within(PATIENCE_MS));
    expect((await Promise.all(waits)).map(({ events }) => events.size)).toEqual(ids.map(() => 1));
    expect(world.reader.calls.findByIds).toBeLessThanOrEqual(2);
    expect(world.feed.counts.expectedIds).toBe(0);
  });

  it('looks up again and again while the delivery log is silent, also when a look-up fails', async () => {
    const silent = new HostileDeliveryLog(1, { drop: 1, duplicate: 0, hold: 0, split: 0 });
    const world = await started(new World({ tailCheckMs: 60_000 }, silent));
    const id = newEventId();
    const within = world.feed.expect([id]).within(PATIENCE_MS);
    world.reader.failNext(1);
    await until(() => world.reader.calls.findByIds >= 3, 'it is looked up several times');
    await world.recordAndPublish({ id });
    expect((await within).events.get(id)?.position).toBe(1);
    expect(world.faults).toHaveLength(1);
  });

  it('tells at once of what was recorded and removed since, beside what is recorded', async () => {
    const world = await started(new World());
    const [a, b] = [newEventId(), newEventId()];
    const { events } = await world.record({ id: a });
    const { model } = world.reader;
    for (const { event } of events) {
      await model.removed.removeOfEntity(event, event.position, { maxEvents: 9, maxBytes: 1_000_000 });
    }
    const within = world.feed.expect([a, b]).within(PATIENCE_MS);
    await world.recordAndPublish({ id: b });
    const found = await within;
    expect([[...found.events.keys()], [...found.removed]]).toEqual([[b], [a]]);
    expect(world.feed.counts.expectedIds).toBe(0);
  });

  it('bounds each look-up and gives all their turn', async () => {
    const world = await started(new World({ lookUpIds: 4, tailCheckMs: 60_000 }));
    const never = numbers(1, 10).map(() => world.feed.expect([newEventId()]));
    const waits = never.map((expectation) => expectation.within(PATIENCE_MS));
    const envelope = sandboxEnvelope();
    await world.recordAndPublish(envelope.event);
    const found = await world.feed.expect([envelope.event.id]).within(PATIENCE_MS);
    expect(found.events.size).toBe(1);
    never.forEach((expectation) => expectation.cancel());
    expect((await Promise.all(waits)).map(({ events }) => events.size)).toEqual(never.map(() => 0));
    expect(world.counted['lookedUp']).toBeLessThanOrEqual(4 * world.reader.calls.findByIds);
  });

  it('answers with what was found when the time is over', async () => {
    const world = await started();
    const [a, b] = [newEventId(), newEventId()];
    const expectation = world.feed.expect([a, b]);
    await world.recordAndPublish({ id: a });
    expect([...(await expectation.within(5)).events.keys()]).toEqual([a]);
    expect(world.feed.counts.expectedIds).toBe(0);
    await world.recordAndPublish({ id: b });
  });

  it('is bounded and lets go of what is cancelled', async () => {
    const world = await started(new World({ expectedIds: 3 }));
    const expectation = world.feed.expect([newEventId(), newEventId()]);
    expect(() => world.feed.expect([newEventId(), newEventId()])).toThrow(
      expect.objectContaining({ code: 'overloaded', retryable: true }),
    );
    expectation.cancel();
    expectation.cancel();
    expect(world.feed.counts.expectedIds).toBe(0);
    expect((await expectation.within(PATIENCE_MS)).events.size).toBe(0);
    expect((await world.feed.expect([]).within(PATIENCE_MS)).events.size).toBe(0);
  });
});
