import { decodeCursor, newEpoch, toPosition } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { recordEnvelope, type EventEnvelope } from '@sluice/event-schema';
import * as fc from 'fast-check';
import { numbers } from '../test/world';
import { FreshRead, Permits } from './background';
import { EventQueue } from './event-queue';
import { FeedEvent } from './feed-event';
import { HotRing } from './hot-ring';
import { RingTurns, type RingReader } from './ring-turns';
import { SubscriptionIndex, type IndexedSubscription } from './subscription-index';

const EPOCH = newEpoch();
const feedEvent = (position: number, envelope: Partial<EventEnvelope> = {}) =>
  new FeedEvent(
    recordEnvelope(sandboxEnvelope(envelope), { position: toPosition(position), entitySequence: 1, recordedAt: 1 }),
    EPOCH,
  );

describe('FeedEvent', () => {
  it('has a cursor after itself and one encoding per dialect', () => {
    const event = feedEvent(7, { data: { text: 'ü' } });
    expect(decodeCursor(event.cursor)).toEqual({ epoch: EPOCH, position: 7 });
    expect(event.bytes).toBe(Buffer.byteLength(event.json));
    const [a, b] = [{}, {}];
    const bytes = event.encoded(a, () => Buffer.from('a'));
    expect(event.encoded(a, () => Buffer.from('again'))).toBe(bytes);
    expect(event.encoded(b, () => Buffer.from('b')).toString()).toBe('b');
  });
});

describe('HotRing', () => {
  it('holds the newest events, also from a high position on', () => {
    for (const head of [0, 1_000_003]) {
      const ring = new HotRing(4, Infinity, toPosition(head));
      expect([ring.covers(toPosition(head)), ring.at(head + 1)]).toEqual([true, undefined]);
      for (const n of numbers(1, 6)) ring.push(feedEvent(head + n));
      expect(numbers(1, 7).map((n) => ring.at(head + n)?.position)).toEqual(
        [undefined, undefined, 3, 4, 5, 6, undefined].map((n) => n && head + n),
      );
      expect([ring.covers(toPosition(head + 1)), ring.covers(toPosition(head + 2))]).toEqual([false, true]);
      ring.restart(toPosition(2));
      expect([ring.size, ring.bytes, ring.covers(toPosition(1)), ring.at(head + 5)]).toEqual([0, 0, false, undefined]);
    }
  });

  it('holds nothing that is larger than itself', () => {
    const ring = new HotRing(4, 300, toPosition(0));
    ring.push(feedEvent(1, { data: { text: 'x'.repeat(1_000) } }));
    expect([ring.size, ring.bytes, ring.covers(toPosition(1))]).toEqual([0, 0, true]);
  });
});

describe('EventQueue', () => {
  it('behaves as a list, within the bounds of each take', () => {
    const step = fc.oneof(
      fc.constant('push' as const),
      fc.record({ events: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 1_500 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new EventQueue(Infinity, Infinity);
        const model: FeedEvent[] = [];
        let pushed = 0;
        for (const action of steps) {
          if (action === 'push') {
            const event = feedEvent(++pushed);
            queue.push(event);
            model.push(event);
          } else {
            const batch = queue.take(action.events, action.bytes);
            expect(batch).toEqual(model.splice(0, batch.length));
            expect(batch.length).toBeLessThanOrEqual(action.events);
            const bytes = batch.reduce((total, event) => total + event.bytes, 0);
            expect(batch.length <= 1 || bytes <= action.bytes).toBe(true);
            const next = model[0];
            const fits =
              next && batch.length < action.events && (batch.length === 0 || bytes + next.bytes <= action.bytes);
            expect(fits ?? false).toBe(false);
          }
          expect(queue.length).toBe(model.length);
          expect(queue.oldest).toBe(model[0]);
          expect(queue.bytes).toBe(model.reduce((total, event) => total + event.bytes, 0));
        }
      }),
    );
  });
});

describe('SubscriptionIndex', () => {
  it('offers an event to whom it concerns, once, and keeps nothing of who left', () => {
    const index = new SubscriptionIndex();
    const offered: string[] = [];
    const add = (name: string, filter: IndexedSubscription['filter']) => {
      const subscription = { filter, offer: () => void offered.push(name), pass: () => undefined };
      index.add(subscription);
      return subscription;
    };
    const all = [
      add('whole', { workspaceIds: [1] }),
      add('two', { workspaceIds: [1, 2], entityIds: ['a', 'b', 'a'] }),
      add('other entity', { workspaceIds: [1], entityIds: ['c'] }),
      add('other workspace', { workspaceIds: [2] }),
      add('none', { workspaceIds: [1], entityIds: [] }),
      // What begins with a prefix is anybody; the subscription looks closer.
      add('prefix', { workspaceIds: [3], entityIdPrefixes: ['a'] }),
    ];
    index.offer(feedEvent(1, { workspaceId: 1, entityId: 'a' }));
    expect(offered).toEqual(['whole', 'two']);
    index.offer(feedEvent(2, { workspaceId: 2, entityId: 'b' }));
    expect(offered.slice(2)).toEqual(['other workspace', 'two']);
    index.offer(feedEvent(3, { workspaceId: 3, entityId: 'a1' }));
    expect(offered.slice(4)).toEqual(['prefix']);
    for (const subscription of all) index.remove(subscription);
    expect([index.size, index.terms]).toEqual([0, 0]);
  });
});

describe('RingTurns', () => {
  class Scan implements RingReader {
    looked: number[] = [];
    constructor(
      readonly caller: string,
      public behind: number,
      private readonly turns: RingTurns,
      private readonly isAttentive = true,
    ) {}
    turnCame(): void {
      if (this.isAttentive) this.look();
    }
    /** All that it may look at, and asks for more. */
    look(): void {
      while (this.behind > 0) {
        const events = Math.min(this.turns.allowance(this), this.behind);
        if (events === 0) return;
        this.looked.push(events);
        this.behind -= events;
        this.turns.looked(this, events);
      }
    }
  }
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  it('shares a turn among the callers that wait, none below the least', async () => {
    const turns = new RingTurns(100, 30);
    const scans = ['a', 'a', 'b', 'c', 'd', 'e'].map((caller) => new Scan(caller, 500, turns));
    for (const scan of scans) scan.look();
    expect(scans.map(({ looked }) => looked)).toEqual([[100], [], [], [], [], []]);
    await turn();
    expect(scans.map(({ looked }) => looked)).toEqual([[100, 30], [], [30], [30], [10], []]);
    await turn();
    // The one that had none begins, and of `a` it is the other one's turn.
    expect(scans.map(({ looked }) => looked)).toEqual([[100, 30], [30], [30, 30], [30, 10], [10], [30]]);
  });

  it('leaves what nobody wants to whoever comes, and forgets who does not use its turn', async () => {
    const turns = new RingTurns(100, 10);
    const first = new Scan('a', 100, turns);
    const gone = new Scan('b', 50, turns);
    const idle = new Scan('c', 40, turns, false);
    const last = new Scan('c', 90, turns);
    for (const scan of [first, gone, idle, last]) scan.look();
    gone.behind = 0;
    await turn();
    expect([gone, idle, last].map(({ looked }) => looked)).toEqual([[], [], [10, 50]]);
  });
});

describe('FreshRead', () => {
  it('shares reads among those who ask, never one that began before they asked, never two at once', async () => {
    let reads = 0;
    let open = 0;
    const releases: (() => void)[] = [];
    const fresh = new FreshRead(async () => {
      const number = ++reads;
      expect(++open).toBe(1);
      await new Promise<void>((resolve) => releases.push(resolve));
      open--;
      if (number === 2) throw new Error('not now');
      return number;
    });
    const first = fresh.read();
    const second = [fresh.read(), fresh.read()];
    releases.shift()?.();
    expect(await first).toBe(1);
    const third = fresh.read();
    releases.shift()?.();
    await expect(second[0]).rejects.toThrow('not now');
    await expect(second[1]).rejects.toThrow('not now');
    releases.shift()?.();
    expect(await third).toBe(3);
  });
});

describe('Permits', () => {
  it('lets so many of one caller in at once, in order of arrival, whatever fails', async () => {
    const permits = new Permits(2, 2);
    const order: number[] = [];
    let most = 0;
    await Promise.allSettled(
      numbers(1, 9).map((n) =>
        permits.run('a', async () => {
          order.push(n);
          most = Math.max(most, permits.used);
          await Promise.resolve();
          if (n % 3 === 0) throw new Error('failed');
        }),
      ),
    );
    expect({ order, most, used: permits.used }).toEqual({ order: numbers(1, 9), most: 2, used: 0 });
  });

  it('gives each caller its turn, however many wait for another', async () => {
    const permits = new Permits(1, 1);
    const order: string[] = [];
    const run = (caller: string, n: number) => permits.run(caller, async () => void order.push(`${caller}${n}`));
    const all = numbers(1, 4).map((n) => run('a', n));
    all.push(...numbers(1, 2).map((n) => run('b', n)), run('c', 1));
    await Promise.all(all);
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    await run('c', 2);
    expect(permits.used).toBe(0);
  });

  it('keeps some free of the caller who has its share', async () => {
    const permits = new Permits(3, 2);
    const releases: (() => void)[] = [];
    const began: string[] = [];
    const run = (name: string) =>
      permits.run(name.charAt(0), () => {
        began.push(name);
        return new Promise<void>((resolve) => releases.push(resolve));
      });
    const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map(run);
    expect(began).toEqual(['a1', 'a2', 'b1']);
    for (const expected of ['a3', 'b2', 'c1']) {
      releases.shift()?.();
      await until(() => began.at(-1) === expected, `${expected} begins`);
    }
    for (const release of releases) release();
    await Promise.all(all);
    expect(permits.used).toBe(0);
  });
});
