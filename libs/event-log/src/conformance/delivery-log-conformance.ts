import { recordEnvelope, type EncodedRecordedEvent, type Epoch } from '@sluice/event-schema';
import { toEpoch, toPosition } from '../position';
import type { DeliveryLog, RecordedRun } from '../ports/delivery-log';
import { sandboxEnvelope, until } from './tools';

export interface DeliveryLogHarness {
  /** A client of one delivery log; every test gets a fresh log. */
  open(): Promise<DeliveryLog>;
  destroy(): Promise<void>;
}

const EPOCH: Epoch = toEpoch('0000abcd');

function run(first: number, last: number, data: Record<string, unknown> = {}): RecordedRun {
  const events: EncodedRecordedEvent[] = [];
  for (let n = first; n <= last; n++) {
    events.push(
      recordEnvelope(sandboxEnvelope({ data }), { position: toPosition(n), entitySequence: n, recordedAt: 1 }),
    );
  }
  return { epoch: EPOCH, events };
}

/** What every DeliveryLog must do while it is healthy. */
export function describeDeliveryLog(name: string, createHarness: () => Promise<DeliveryLogHarness>): void {
  describe(`DeliveryLog: ${name}`, () => {
    let harness: DeliveryLogHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    const followInto = async (log: DeliveryLog) => {
      const runs: RecordedRun[] = [];
      const forgotten: number[] = [];
      const follower = await log.follow({
        onRun: (received) => void runs.push(received),
        onForgotten: () => void forgotten.push(positions().length),
      });
      const positions = () => runs.flatMap(({ events }) => events.map(({ event }) => event.position as number));
      return { runs, positions, forgotten, follower };
    };

    it('gives every follower each run, in order, with events and text as published', async () => {
      const [publisher, a, b] = [await harness.open(), await harness.open(), await harness.open()];
      const [first, second] = [await followInto(a), await followInto(b)];
      const published = run(1, 3, { text: 'zero \u0000, lone \ud800, 🐚' });
      await publisher.publish(published);
      for (let n = 4; n <= 100; n++) await publisher.publish(run(n, n));
      const expected = Array.from({ length: 100 }, (_, n) => n + 1);
      for (const { positions, runs } of [first, second]) {
        await until(() => positions().length >= 100, 'all runs arrive');
        expect(positions()).toEqual(expected);
        expect(runs[0]).toEqual(published);
      }
    });

    it('starts a follower at now', async () => {
      const log = await harness.open();
      await log.publish(run(1, 5));
      const { positions } = await followInto(await harness.open());
      await log.publish(run(6, 6));
      await until(() => positions().length >= 1, 'the new run arrives');
      expect(positions()).toEqual([6]);
    });

    it('carries a run of many large events', async () => {
      const log = await harness.open();
      const { positions, runs } = await followInto(log);
      await log.publish(run(1, 12, { blob: 'x'.repeat(200_000) }));
      await until(() => positions().length >= 12, 'the whole run arrives');
      expect(positions()).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
      expect(runs.at(-1)?.events.at(-1)?.event.data['blob']).toHaveLength(200_000);
    });

    it('forgets, tells every follower so in the order of publication, and goes on', async () => {
      const log = await harness.open();
      const [first, second] = [await followInto(log), await followInto(await harness.open())];
      await log.publish(run(1, 3));
      for (const { positions } of [first, second]) await until(() => positions().length === 3, 'the runs arrive');
      await log.forget();
      await log.publish(run(4, 4));
      for (const { positions, forgotten } of [first, second]) {
        await until(() => positions().length === 4, 'the next run arrives');
        expect(forgotten).toEqual([3]);
      }
      await log.forget();
      await log.forget();
      await until(() => second.forgotten.length >= 2, 'it is told again');
      expect(second.positions()).toEqual([1, 2, 3, 4]);
    });

    it('gives a stopped follower nothing more', async () => {
      const log = await harness.open();
      const stopped = await followInto(log);
      const other = await followInto(log);
      await stopped.follower.stop();
      await stopped.follower.stop();
      await log.publish(run(1, 1));
      await until(() => other.positions().length === 1, 'the other follower has it');
      expect(stopped.positions()).toEqual([]);
    });

    it('refuses to publish after it was closed, with a retryable error', async () => {
      const log = await harness.open();
      await log.check();
      await log.close();
      await log.close();
      await expect(log.publish(run(1, 1))).rejects.toMatchObject({ code: 'delivery_log_unavailable', retryable: true });
    });
  });
}
