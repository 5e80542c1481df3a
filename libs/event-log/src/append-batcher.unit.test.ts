import type { EncodedEnvelope } from '@sluice/event-schema';
import fc from 'fast-check';
import { AppendBatcher, type AppendBatcherOptions } from './append-batcher';
import { sandboxEnvelope } from './conformance/tools';

/** A send whose calls are held until the test settles them. */
class HeldSends {
  readonly calls: { readonly names: readonly unknown[]; resolve(): void; reject(error: unknown): void }[] = [];

  readonly send = (events: readonly EncodedEnvelope[]): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      this.calls.push({ names: namesOf(events), resolve, reject });
    });

  get names(): readonly (readonly unknown[])[] {
    return this.calls.map((call) => call.names);
  }
}

const namesOf = (events: readonly EncodedEnvelope[]) => events.map(({ event }) => event.data['n']);
const events = (...names: unknown[]) => names.map((n) => sandboxEnvelope({ data: { n } }));
const bytesOf = (envelopes: readonly EncodedEnvelope[]) =>
  envelopes.reduce((total, { json }) => total + Buffer.byteLength(json), 0);

/** Lets everything that is already decided happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

type Options = AppendBatcherOptions<EncodedEnvelope>;

function batcher(send: Options['send'], overrides: Partial<Options> = {}): AppendBatcher<EncodedEnvelope> {
  return new AppendBatcher({
    send,
    sizeOf: ({ json }: EncodedEnvelope) => Buffer.byteLength(json),
    maxQueuedEvents: 100,
    maxQueuedBytes: 1_000_000,
    maxBatchEvents: 4,
    maxBatchBytes: 100_000,
    ...overrides,
  });
}

describe('AppendBatcher', () => {
  it('shares the first send among the appends of one turn, and collects while it is in flight', async () => {
    const sends = new HeldSends();
    const log = batcher(sends.send);
    const first = [log.append(events(1)), log.append(events(2))];
    await settle();
    const second = [log.append(events(3)), log.append(events(4, 5))];
    await settle();
    expect(sends.names).toEqual([[1, 2]]);
    sends.calls[0]?.resolve();
    await Promise.all(first);
    await settle();
    expect(sends.names).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    sends.calls[1]?.resolve();
    await Promise.all(second);
  });

  describe('with a linger', () => {
    const lingerMs = 60_000;

    it('waits for as many appends as shared the last send, and for no more', async () => {
      const sends = new HeldSends();
      const log = batcher(sends.send, { lingerMs });
      const first = [log.append(events(1)), log.append(events(2))];
      await settle();
      const third = log.append(events(3));
      sends.calls[0]?.resolve();
      await Promise.all(first);
      const again = [log.append(events(4))];
      await settle();
      expect(sends.names).toEqual([[1, 2]]);
      again.push(log.append(events(5)));
      await settle();
      expect(sends.names).toEqual([
        [1, 2],
        [3, 4, 5],
      ]);
      sends.calls[1]?.resolve();
      await Promise.all([third, ...again]);
    });

    it('does not wait when the last send was not shared, nor for what would not fit', async () => {
      const sends = new HeldSends();
      const log = batcher(sends.send, { lingerMs });
      for (const [index, names] of [[1], [2], [3, 4, 5, 6]].entries()) {
        const append = log.append(events(...names));
        await settle();
        expect(sends.names[index]).toEqual(names);
        sends.calls[index]?.resolve();
        await append;
      }
    });

    it('waits no longer than it may', async () => {
      const sent: unknown[][] = [];
      const log = batcher(async (batch) => void sent.push(namesOf(batch)), { lingerMs: 5 });
      await Promise.all([log.append(events(1)), log.append(events(2))]);
      await log.append(events(3));
      expect(sent).toEqual([[1, 2], [3]]);
    });

    it('is cut short by close', async () => {
      const sent: unknown[][] = [];
      const log = batcher(async (batch) => void sent.push(namesOf(batch)), { lingerMs });
      await Promise.all([log.append(events(1)), log.append(events(2))]);
      const last = log.append(events(3));
      await settle();
      expect(sent).toEqual([[1, 2]]);
      await log.close();
      await last;
      expect(sent).toEqual([[1, 2], [3]]);
    });
  });

  it('never splits an append that fits into one batch', async () => {
    const sent: unknown[][] = [];
    const log = batcher(async (batch) => void sent.push(namesOf(batch)));
    await Promise.all([log.append(events(1, 2, 3)), log.append(events(4, 5)), log.append(events(6, 7, 8))]);
    expect(sent).toEqual([
      [1, 2, 3],
      [4, 5],
      [6, 7, 8],
    ]);
  });

  it('bounds a batch by bytes of UTF-8, not by characters', async () => {
    const sent: unknown[][] = [];
    const wide = sandboxEnvelope({ data: { n: 'wide', text: '🐚'.repeat(10_000) } });
    const log = batcher(async (batch) => void sent.push(namesOf(batch)), { maxBatchBytes: bytesOf([wide]) });
    await Promise.all([log.append([wide]), log.append(events(1, 2, 3)), log.append([wide])]);
    expect(sent).toEqual([['wide'], [1, 2, 3], ['wide']]);
  });

  it('sends an append above the batch limits in several sends and resolves after the last', async () => {
    const sends = new HeldSends();
    const log = batcher(sends.send);
    let done = false;
    const large = log.append(events(1, 2, 3, 4, 5, 6)).then(() => (done = true));
    await settle();
    sends.calls[0]?.resolve();
    await settle();
    expect({ names: sends.names, done }).toEqual({
      names: [
        [1, 2, 3, 4],
        [5, 6],
      ],
      done: false,
    });
    sends.calls[1]?.resolve();
    await large;
  });

  it('rejects a large append at its first failure, leaves the rest unsent, and goes on with the next', async () => {
    const sends = new HeldSends();
    const log = batcher(sends.send);
    const large = log.append(events(1, 2, 3, 4, 5));
    const next = log.append(events(6));
    await settle();
    const failure = new Error('broken');
    sends.calls[0]?.reject(failure);
    await expect(large).rejects.toBe(failure);
    await settle();
    expect(sends.names).toEqual([[1, 2, 3, 4], [6]]);
    sends.calls[1]?.resolve();
    await next;
  });

  it('rejects every append of a failed send, including one that throws at once', async () => {
    const log = batcher(() => {
      throw new Error('broken');
    });
    const results = await Promise.allSettled([log.append(events(1)), log.append(events(2))]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it.each([
    ['events', { maxQueuedEvents: 3 }],
    ['bytes', { maxQueuedBytes: bytesOf(events(1, 2, 3)) }],
  ])('refuses what is above the queue limit in %s, until something is finished', async (_, limits) => {
    const sends = new HeldSends();
    const log = batcher(sends.send, limits);
    const taken = log.append(events(1, 2, 3));
    await settle();
    await expect(log.append(events(4))).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    sends.calls[0]?.resolve();
    await taken;
    const later = log.append(events(5));
    await settle();
    sends.calls[1]?.resolve();
    await later;
    expect(sends.names).toEqual([[1, 2, 3], [5]]);
  });

  it('takes an append above the queue limit when nothing else is unfinished', async () => {
    const sent: unknown[][] = [];
    await batcher(async (batch) => void sent.push(namesOf(batch)), { maxQueuedEvents: 1 }).append(events(1, 2));
    expect(sent).toEqual([[1, 2]]);
  });

  it('finishes what was appended before close, and refuses what comes after', async () => {
    const sends = new HeldSends();
    const log = batcher(sends.send);
    const appended = log.append(events(1));
    let closed = false;
    const closing = log.close().then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    await expect(log.append(events(2))).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    sends.calls[0]?.resolve();
    await Promise.all([appended, closing, log.close()]);
  });

  it('tells its hooks how much is unfinished and how large each batch was', async () => {
    const queued: number[] = [];
    const batches: number[] = [];
    const log = batcher(async () => undefined, {
      onQueue: ({ events: count }) => queued.push(count),
      onBatch: ({ events: count, bytes }) => batches.push(count, bytes),
    });
    const appended = events(1, 2);
    await log.append(appended);
    await log.append([]);
    expect({ queued, batches }).toEqual({ queued: [2, 0], batches: [2, bytesOf(appended)] });
  });

  it('keeps order and bounds, and lets the failure of one send touch its own appends only', async () => {
    const limits = { maxQueuedEvents: 12, maxQueuedBytes: 8_000, maxBatchEvents: 4, maxBatchBytes: 2_000 };
    const append = fc.record({ sizes: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 6 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(append, { minLength: 1, maxLength: 20 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
        async (appends, failing) => {
          const stored: number[] = [];
          const failed: number[] = [];
          let [sends, open, n, unfinished] = [0, 0, 0, 0];
          const log = batcher(
            async (batch) => {
              expect(++open).toBe(1);
              const numbers = namesOf(batch) as number[];
              expect(batch.length <= limits.maxBatchEvents).toBe(true);
              expect(batch.length === 1 || bytesOf(batch) <= limits.maxBatchBytes).toBe(true);
              await Promise.resolve();
              open--;
              const fails = failing[sends++ % failing.length] === true;
              (fails ? failed : stored).push(...numbers);
              if (fails) throw new Error(`send ${sends}`);
            },
            { ...limits, onQueue: ({ events: count }) => void (unfinished = count) },
          );
          const calls = appends.map(({ sizes }) => {
            const batch = sizes.map((size) => sandboxEnvelope({ data: { n: n++, text: 'x'.repeat(size) } }));
            const before = unfinished;
            const numbers = namesOf(batch) as number[];
            return log.append(batch).then(
              () => ({ numbers, before, code: undefined, ok: true }),
              (error: unknown) => ({ numbers, before, code: (error as { code?: string }).code, ok: false }),
            );
          });
          const outcomes = await Promise.all(calls);
          await log.drain();
          expect(unfinished).toBe(0);
          expect(stored).toEqual([...stored].sort((a, b) => a - b));
          expect(new Set([...stored, ...failed]).size).toBe(stored.length + failed.length);
          for (const { numbers, before, code, ok } of outcomes) {
            const [has, lost] = [stored, failed].map(
              (list) => numbers.filter((number) => list.includes(number)).length,
            );
            if (ok) expect(has).toBe(numbers.length);
            else if (code === 'overloaded') expect([has, lost, before > 0]).toEqual([0, 0, true]);
            else expect(lost).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
