import { assertNotLost, CheckpointLost, targetsOf } from '../checkpoint-lost';
import { decodeUtf8 } from '../encoding';
import type { DurableLog, FollowLogOptions, Lane, LogBatch, LogFollower } from '../ports/durable-log';
import type { EventEnvelope } from '@sluice/event-schema';
import { sandboxEnvelope, until } from './tools';

export interface DurableLogHarness {
  /** A client of one log; every call within one test gives a client of the same log, every test gets a fresh log. */
  open(): Promise<DurableLog>;
  /** Lets go of the log and everything that was opened. */
  destroy(): Promise<void>;
}

/** A follower that collects what it is given and keeps its checkpoints as a projector would. */
class Collector {
  readonly events: EventEnvelope[] = [];
  readonly checkpoints = new Map<Lane, number>();
  follower: LogFollower | undefined;

  async follow(log: DurableLog, overrides: Partial<FollowLogOptions> = {}): Promise<this> {
    this.follower = await log.follow({
      group: 'conformance',
      maxBatchRecords: 100,
      loadCheckpoints: async (lanes) => new Map([...this.checkpoints].filter(([lane]) => lanes.includes(lane))),
      handle: async (batch) => this.take(batch),
      ...overrides,
    });
    return this;
  }

  take(batch: LogBatch): void {
    assertNotLost(batch.checkpoints, this.checkpoints);
    for (const { lane, index, value } of batch.records) {
      if (index < (this.checkpoints.get(lane) ?? 0)) continue;
      this.events.push(JSON.parse(decodeUtf8(value)) as EventEnvelope);
    }
    for (const [lane, to] of targetsOf(batch.checkpoints)) this.checkpoints.set(lane, to);
  }

  /** A failover, or a backup that was put back. */
  loseEverything(): void {
    this.checkpoints.clear();
    this.events.length = 0;
  }

  numbersOf(entityId: string): unknown[] {
    return this.events.filter((event) => event.entityId === entityId).map((event) => event.data['n']);
  }
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

/** What every DurableLog must do. Run it with a harness around each implementation. */
export function describeDurableLog(name: string, createHarness: () => Promise<DurableLogHarness>): void {
  describe(`DurableLog: ${name}`, () => {
    let harness: DurableLogHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    it('gives a follower every appended event, byte for byte', async () => {
      const log = await harness.open();
      const hostile = { text: 'zero \u0000, lone \ud800, emoji 🐚, "quotes"\r\n', ['__proto__x']: [1, null, 0.1] };
      const envelope = sandboxEnvelope({ data: hostile });
      const values: string[] = [];
      const follower = await log.follow({
        group: 'bytes',
        maxBatchRecords: 10,
        loadCheckpoints: async () => new Map(),
        handle: async ({ records }) => void values.push(...records.map(({ value }) => decodeUtf8(value))),
      });
      await log.append([envelope]);
      await until(() => values.length > 0, 'the event arrives');
      expect(values).toEqual([envelope.json]);
      await follower.stop();
    });

    it('keeps the order of one entity over many appends, with many entities in flight', async () => {
      const log = await harness.open();
      const collector = await new Collector().follow(log);
      await Promise.all(
        range(200).map((n) => log.append([sandboxEnvelope({ entityId: `sandbox-${n % 7}`, data: { n } })])),
      );
      await until(() => collector.events.length >= 200, 'all events arrive');
      for (const entity of range(7)) {
        expect(collector.numbersOf(`sandbox-${entity}`)).toEqual(range(200).filter((n) => n % 7 === entity));
      }
    });

    it('keeps the order within one batch and stores an empty one without a word', async () => {
      const log = await harness.open();
      const collector = await new Collector().follow(log);
      await log.append([]);
      await log.append(range(50).map((n) => sandboxEnvelope({ data: { n } })));
      await until(() => collector.events.length >= 50, 'the batch arrives');
      expect(collector.numbersOf('sandbox-123')).toEqual(range(50));
    });

    it('starts at the stored checkpoints and gives nothing twice', async () => {
      const log = await harness.open();
      const collector = await new Collector().follow(log);
      await log.append(range(20).map((n) => sandboxEnvelope({ data: { n } })));
      await until(() => collector.events.length >= 20, 'the first events arrive');
      await collector.follower?.stop();
      await log.append(range(5).map((n) => sandboxEnvelope({ data: { n: 20 + n } })));
      await collector.follow(await harness.open());
      await until(() => collector.events.length >= 25, 'the later events arrive');
      expect(collector.numbersOf('sandbox-123')).toEqual(range(25));
    });

    it('gives a batch again when handling it failed', async () => {
      const log = await harness.open();
      const collector = new Collector();
      const faults: unknown[] = [];
      let failures = 2;
      await collector.follow(log, {
        onFault: (error) => faults.push(error),
        handle: async (batch) => {
          if (failures-- > 0) throw new Error('not now');
          collector.take(batch);
        },
      });
      await log.append(range(10).map((n) => sandboxEnvelope({ data: { n } })));
      await until(() => collector.events.length >= 10, 'the events arrive in the end');
      expect(collector.numbersOf('sandbox-123')).toEqual(range(10));
      expect(faults.length).toBeGreaterThanOrEqual(2);
    });

    it('never hands one follower two batches at the same time, nor one above its limit', async () => {
      const log = await harness.open();
      const collector = new Collector();
      let open = 0;
      let most = 0;
      let largest = 0;
      await log.append(range(60).map((n) => sandboxEnvelope({ entityId: `sandbox-${n}`, data: { n } })));
      await collector.follow(log, {
        maxBatchRecords: 7,
        handle: async (batch) => {
          most = Math.max(most, ++open);
          largest = Math.max(largest, batch.records.length);
          await Promise.resolve();
          collector.take(batch);
          open--;
        },
      });
      await until(() => collector.events.length >= 60, 'all events arrive');
      expect({ most, withinLimit: largest <= 7 }).toEqual({ most: 1, withinLimit: true });
    });

    it('hands the lanes of a stopped follower to another one of its group', async () => {
      const log = await harness.open();
      const shared = new Collector();
      const first = await log.follow({
        group: 'conformance',
        maxBatchRecords: 100,
        loadCheckpoints: async (lanes) => new Map([...shared.checkpoints].filter(([lane]) => lanes.includes(lane))),
        handle: async (batch) => shared.take(batch),
      });
      await shared.follow(await harness.open());
      await log.append(range(30).map((n) => sandboxEnvelope({ entityId: `sandbox-${n}`, data: { n } })));
      await until(() => shared.events.length >= 30, 'the first events arrive');
      await first.stop();
      await log.append(range(30).map((n) => sandboxEnvelope({ entityId: `sandbox-${n}`, data: { n: 30 + n } })));
      await until(() => shared.events.length >= 60, 'the later events arrive');
      expect(new Set(shared.events.map(({ id }) => id)).size).toBe(60);
    });

    it('goes back when what is stored was lost, when something comes and when nothing does (G1)', async () => {
      const log = await harness.open();
      const faults: unknown[] = [];
      const collector = await new Collector().follow(log, {
        checkIntervalMs: 200,
        onFault: (error) => faults.push(error),
      });
      const append = (count: number) =>
        log.append(range(count).map((n) => sandboxEnvelope({ entityId: `sandbox-${n}`, data: { n } })));
      await append(10);
      await until(() => collector.events.length === 10, 'the events arrive');
      collector.loseEverything();
      await until(() => collector.events.length >= 10, 'the events come again by themselves');
      collector.loseEverything();
      await append(10);
      await until(() => collector.events.length >= 20, 'the events come again with others');
      expect(new Set(collector.events.map(({ id }) => id)).size).toBe(20);
      expect(collector.numbersOf('sandbox-3')).toEqual([3, 3]);
      expect(faults.length).toBeGreaterThanOrEqual(2);
      expect(faults.every((fault) => fault instanceof CheckpointLost)).toBe(true);
    }, 30_000);

    it('says where its lanes end', async () => {
      const log = await harness.open();
      const sum = async () => [...(await log.ends()).values()].reduce((total, end) => total + end, 0);
      const before = await sum();
      await log.append(range(12).map((n) => sandboxEnvelope({ entityId: `sandbox-${n}` })));
      expect((await sum()) - before).toBe(12);
    });

    it('says where its lanes begin: for each that it has, and not after its end', async () => {
      const log = await harness.open();
      await log.append(range(12).map((n) => sandboxEnvelope({ entityId: `sandbox-${n}` })));
      const [starts, ends] = [await log.starts(), await log.ends()];
      expect([...starts.keys()].sort()).toEqual([...ends.keys()].sort());
      const held = [...ends].map(([lane, end]) => end - (starts.get(lane) ?? Infinity));
      expect(held.every((records) => records >= 0)).toBe(true);
      expect(held.reduce((total, records) => total + records, 0)).toBe(12);
    });

    it('refuses to append after it was closed, with a retryable error', async () => {
      const log = await harness.open();
      await log.check();
      await log.close();
      await log.close();
      await expect(log.append([sandboxEnvelope()])).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    });
  });
}
