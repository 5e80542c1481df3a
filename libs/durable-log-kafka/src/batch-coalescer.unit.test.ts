import type { Lane, LogRecord } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { BatchCoalescer, type CoalescedBatch } from './batch-coalescer';

function records(lane: number, first: number, last: number): LogRecord[] {
  const made: LogRecord[] = [];
  for (let index = first; index <= last; index++) {
    made.push({ lane: lane as Lane, index, value: new Uint8Array(), appendedAt: 0 });
  }
  return made;
}

const places = ({ records: of }: CoalescedBatch) => of.map(({ lane, index }) => `${lane}:${index}`);

function setUp(maxBatchRecords = 100, rest = { afterRecords: Infinity, durationMs: 0 }) {
  const batches: CoalescedBatch[] = [];
  const faults: unknown[] = [];
  const control = { handle: (_batch: CoalescedBatch) => Promise.resolve() };
  const coalescer = new BatchCoalescer({
    maxBatchRecords,
    retryDelayMs: { first: 1, maximum: 2 },
    rest,
    handle: async (batch) => {
      batches.push(batch);
      await control.handle(batch);
    },
    onFault: (error) => faults.push(error),
  });
  return { batches, faults, control, coalescer };
}

/** A promise and the ends of it. */
function gate() {
  let open: () => void = () => undefined;
  let fail: (reason: unknown) => void = () => undefined;
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}

const nothing = () => undefined;

describe('BatchCoalescer', () => {
  it('makes one batch of what is pushed in one turn, with the checkpoint of every lane', async () => {
    const { batches, coalescer } = setUp();
    await Promise.all([coalescer.push(records(0, 5, 7), nothing), coalescer.push(records(3, 1, 2), nothing)]);
    expect(batches.map(places)).toEqual([['0:5', '0:6', '0:7', '3:1', '3:2']]);
    expect(batches[0]?.targets).toEqual(
      new Map([
        [0, 8],
        [3, 3],
      ]),
    );
    expect(coalescer.isBusy).toBe(false);
  });

  it('splits at its limit, keeps the order of each lane and tells of progress', async () => {
    const { batches, coalescer } = setUp(4);
    const progress: string[] = [];
    await Promise.all([
      coalescer.push(records(0, 0, 5), (last) => progress.push(`0:${last}`)),
      coalescer.push(records(1, 0, 2), (last) => progress.push(`1:${last}`)),
    ]);
    expect(batches.map(places)).toEqual([['0:0', '0:1', '0:2', '0:3'], ['0:4', '0:5', '1:0', '1:1'], ['1:2']]);
    expect(progress).toEqual(['0:3', '0:5', '1:1', '1:2']);
  });

  it('collects what arrives while a batch is in hand, and has one in hand at a time', async () => {
    const { batches, control, coalescer } = setUp();
    const first = gate();
    control.handle = () => first.passed;
    const pushes = [coalescer.push(records(0, 0, 0), nothing)];
    await until(() => batches.length === 1);
    pushes.push(coalescer.push(records(1, 0, 0), nothing), coalescer.push(records(2, 0, 0), nothing));
    expect(batches).toHaveLength(1);
    first.open();
    await Promise.all(pushes);
    expect(batches.map(places)).toEqual([['0:0'], ['1:0', '2:0']]);
  });

  it('repeats the same batch until it is handled, without what came later', async () => {
    const { batches, faults, control, coalescer } = setUp();
    let failures = 3;
    control.handle = async () => {
      if (failures-- > 0) {
        if (failures === 2) later = coalescer.push(records(1, 0, 0), nothing);
        throw new Error('not now');
      }
    };
    let later: Promise<void> | undefined;
    await coalescer.push(records(0, 0, 1), nothing);
    await later;
    expect(batches.map(places)).toEqual([['0:0', '0:1'], ['0:0', '0:1'], ['0:0', '0:1'], ['0:0', '0:1'], ['1:0']]);
    expect(faults).toHaveLength(3);
  });

  it('drops what waits at once, lets the batch in hand finish and counts it as handled', async () => {
    const { batches, control, coalescer } = setUp(2);
    const inHand = gate();
    control.handle = () => inHand.passed;
    const progress: number[] = [];
    const half = coalescer.push(records(0, 0, 3), (last) => progress.push(last));
    const waiting = coalescer.push(records(1, 0, 0), nothing);
    const lost = new Error('lost');
    const outcomes = Promise.allSettled([half, waiting]);
    await until(() => batches.length === 1);
    let isDropped = false;
    const dropped = coalescer.drop(lost).then(() => (isDropped = true));
    await expect(waiting).rejects.toBe(lost);
    expect(isDropped).toBe(false);
    inHand.open();
    await dropped;
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: lost },
      { status: 'rejected', reason: lost },
    ]);
    expect(progress).toEqual([1]);
    expect(batches).toHaveLength(1);
    await coalescer.push(records(0, 2, 3), nothing);
    expect(batches.map(places).at(-1)).toEqual(['0:2', '0:3']);
  });

  it('gives up repeating a batch that is dropped', async () => {
    const { batches, control, coalescer } = setUp();
    const first = gate();
    control.handle = () => first.passed;
    const progress: number[] = [];
    const pushed = coalescer.push(records(0, 0, 0), (last) => progress.push(last));
    const outcome = Promise.allSettled([pushed]);
    await until(() => batches.length === 1);
    const dropped = coalescer.drop('lost');
    first.fail(new Error('not now'));
    await dropped;
    expect(await outcome).toEqual([{ status: 'rejected', reason: 'lost' }]);
    expect({ handled: batches.length, progress }).toEqual({ handled: 1, progress: [] });
    expect(coalescer.isBusy).toBe(false);
  });

  it('has nothing to do for no records', async () => {
    const { batches, coalescer } = setUp();
    await coalescer.push([], nothing);
    await coalescer.drop('nothing');
    expect(batches).toEqual([]);
  });

  it('rests after a large batch that is not full, and a drop ends the rest', async () => {
    const rest = { afterRecords: 3, durationMs: 60_000 };
    const { batches, coalescer } = setUp(5, rest);
    await coalescer.push(records(0, 0, 1), nothing);
    await coalescer.push(records(0, 2, 6), nothing);
    let isSettled = false;
    const resting = coalescer.push(records(0, 7, 9), nothing).then(() => (isSettled = true));
    await until(() => batches.length === 3, 'the third batch is handled');
    await new Promise((resolve) => setImmediate(resolve));
    expect(isSettled).toBe(false);
    await coalescer.drop(new Error('the lanes were lost'));
    await resting;
    expect(batches.map(places)).toEqual([
      ['0:0', '0:1'],
      ['0:2', '0:3', '0:4', '0:5', '0:6'],
      ['0:7', '0:8', '0:9'],
    ]);
  });
});
