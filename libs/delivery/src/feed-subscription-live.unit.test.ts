import { until } from '@sluice/event-log/conformance';
import type { DeliveryLimits } from './limits';
import { numbers, World } from '../test/world';

describe('Subscription, live', () => {
  const worlds: World[] = [];
  const started = async (limits: Partial<DeliveryLimits> = {}, before = 0) => {
    const world = new World({ tailCheckMs: 60_000, warmUpEvents: 0, ...limits });
    worlds.push(world);
    if (before > 0) await world.publishMany(before);
    await world.feed.start();
    return world;
  };
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map(({ feed }) => feed.stop()));
  });

  describe('live', () => {
    it('moves its position on while others have events, never beyond what was not taken', async () => {
      const world = await started();
      const filter = { workspaceIds: [1], entityIds: ['mine'] };
      const reader = (await world.subscribe('latest', { filter })).drain();
      await world.publishMany(5, { entityId: 'other' });
      expect(reader.subscription.position.position).toBe(5);
      await world.publishMany(1, { entityId: 'mine' });
      await world.publishMany(3, { entityId: 'other' });
      expect(reader.subscription.position.position).toBe(5);
      expect(reader.drain().positions).toEqual([6]);
      expect(reader.subscription.position.position).toBe(9);
    });

    it.each([
      ['events', { maxQueuedEvents: 4 }],
      ['bytes', { maxQueuedBytes: 1_300 }],
    ])('ends a slow subscriber when too many %s wait, and a resume goes on where it was', async (_, options) => {
      const world = await started();
      const reader = (await world.subscribe('latest', options)).drain();
      await world.publishMany(3);
      reader.drain();
      await world.publishMany(9);
      expect(await reader.subscription.ended).toBe('slow_subscriber');
      expect(reader.subscription.position.position).toBe(3);
      reader.drain();
      expect(reader.positions).toEqual([1, 2, 3]);
      expect(reader.end).toMatchObject({ reason: 'slow_subscriber', at: { position: 3 } });
      expect(reader.drain().kinds.filter((kind) => kind === 'end')).toHaveLength(1);
      expect(world.counted).toMatchObject({ queueOverflow: 1, ended: 1 });
      const resumed = (await world.subscribe(reader.end?.at ?? 'latest')).drain();
      expect(resumed.positions).toEqual(numbers(4, 12));
    });

    it('lets one event wait whatever its size', async () => {
      const world = await started();
      const reader = (await world.subscribe('latest', { maxQueuedBytes: 10 })).drain();
      await world.publishMany(1, { data: { text: 'x'.repeat(1_000) } });
      expect(reader.drain().positions).toEqual([1]);
    });

    it('does not cut an attentive subscriber in a burst', async () => {
      const world = await started();
      const reader = (await world.subscribe('latest')).follow();
      const burst = await world.record(...Array.from({ length: 3_000 }, () => ({ data: { text: 'x'.repeat(1_000) } })));
      await world.deliveryLog.publish(burst);
      await reader.has(3_000);
      expect(reader.positions).toEqual(numbers(1, 3_000));
      expect(
        Math.max(...reader.items.map((item) => (item.kind === 'events' ? item.events.length : 0))),
      ).toBeLessThanOrEqual(256);
    });

    it('ends a subscriber that takes nothing while something waits', async () => {
      const world = await started();
      const idle = (await world.subscribe('latest', { stallTimeoutMs: 20 })).drain();
      const stalled = (await world.subscribe('latest', { stallTimeoutMs: 20, filter: { workspaceIds: [2] } })).drain();
      await world.publishMany(1, { workspaceId: 2 });
      expect(await stalled.subscription.ended).toBe('slow_subscriber');
      expect(stalled.drain().end?.at.position).toBe(0);
      expect(idle.drain().kinds).toEqual(['caught_up']);
      expect(world.counted['queueOverflow']).toBe(1);
    });

    it('calls the listener once per turn, and again only after there was nothing to take', async () => {
      const world = await started();
      const reader = (await world.subscribe('latest')).drain();
      let calls = 0;
      reader.subscription.onReadable(() => calls++);
      for (let n = 0; n < 5; n++) await world.publishMany(1);
      await until(() => calls > 0, 'the listener is called');
      await world.publishMany(1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).toBe(1);
      expect(reader.drain().items.filter(({ kind }) => kind === 'events')).toHaveLength(1);
      await world.publishMany(1);
      await until(() => calls === 2, 'the listener is called again');
    });

    it('closes a subscription whose listener throws, and spares the others', async () => {
      const world = await started();
      const broken = await world.subscribe('latest');
      broken.subscription.onReadable(() => {
        throw new Error('broken door');
      });
      const sound = (await world.subscribe('latest')).follow();
      await world.publishMany(1);
      await sound.has(1);
      expect(await broken.subscription.ended).toBe('closed');
      expect(world.faults).toHaveLength(1);
    });

    it('keeps workspaces apart', async () => {
      const world = await started({}, 0);
      const readers = await Promise.all(
        [{ workspaceIds: [1] }, { workspaceIds: [2] }, { workspaceIds: [2], entityIds: ['sandbox-123'] }].map(
          (filter) => world.subscribe('earliest', { filter }),
        ),
      );
      await world.recordAndPublish({ workspaceId: 1 }, { workspaceId: 2 }, { workspaceId: 3 });
      expect(readers.map((reader) => reader.drain().positions)).toEqual([[1], [2], [2]]);
    });
  });

  describe('iteration', () => {
    it('gives the items and ends with the end', async () => {
      const world = await started({}, 3);
      const controller = new AbortController();
      const { subscription } = await world.subscribe('earliest', { signal: controller.signal });
      const kinds: string[] = [];
      for await (const item of subscription) {
        kinds.push(item.kind);
        if (item.kind === 'caught_up') await world.publishMany(2);
        if (kinds.length === 3) controller.abort();
      }
      expect(kinds).toEqual(['events', 'caught_up', 'events', 'end']);
      expect(await subscription.ended).toBe('closed');
    });

    it('closes when the reader leaves', async () => {
      const world = await started({}, 3);
      const { subscription } = await world.subscribe('earliest');
      for await (const item of subscription) if (item.kind === 'events') break;
      expect(await subscription.ended).toBe('closed');
      expect(world.feed.counts.subscriptions).toBe(0);
    });

    it('ends at once for a signal that is aborted already', async () => {
      const world = await started();
      const reader = (await world.subscribe('latest', { signal: AbortSignal.abort() })).drain();
      expect(reader.kinds).toEqual(['end']);
      expect(world.feed.counts).toMatchObject({ subscriptions: 0, liveSubscriptions: 0 });
    });
  });
});
