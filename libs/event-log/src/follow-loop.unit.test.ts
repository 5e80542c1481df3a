import { FollowWorld, LANES, MINUTE_MS, ownTime, record, settle } from '../test/follow-world';
import { RETRY_DELAY_MS } from './follow-loop';
import type { Lane, LaneCheckpoints, LogRecord } from './ports/durable-log';

describe('FollowLoop', () => {
  ownTime();

  it('reads, handles and moves on, in batches of the limit, each record once', async () => {
    const world = new FollowWorld();
    world.append(0, 5);
    world.append(1, 2);
    world.loop.start();
    await settle();
    expect(world.seen).toEqual(['0:0', '0:1', '0:2', '0:3', '0:4', '1:0', '1:1']);
    expect(world.handled.map(({ records }) => records.length)).toEqual([3, 3, 1]);
    expect(world.stored).toEqual(
      new Map([
        [0, 5],
        [1, 2],
      ]),
    );
    await world.loop.stop();
  });

  it('gives with each batch where to go on, for the lanes of the batch only', async () => {
    const world = new FollowWorld();
    world.append(1, 2);
    world.loop.start();
    await settle();
    expect(world.handled.map(({ checkpoints }) => [...checkpoints])).toEqual([[[1, { from: 0, to: 2 }]]]);
    await world.loop.stop();
  });

  it('asks for the checkpoints of its lanes once, and starts there', async () => {
    const world = new FollowWorld();
    world.stored.set(0 as Lane, 4);
    world.append(0, 6);
    world.loop.start();
    await settle();
    expect(world.seen).toEqual(['0:4', '0:5']);
    expect(world.loads).toEqual([LANES]);
    await world.loop.stop();
  });

  it('follows indexes with holes', async () => {
    const records = [record(0, 3), record(0, 7), record(0, 9)];
    const next: (number | undefined)[] = [];
    const read = async (checkpoints: LaneCheckpoints) => {
      next.push(checkpoints.get(0 as Lane));
      return records.filter(({ index }) => index >= (checkpoints.get(0 as Lane) ?? 0)).slice(0, 1);
    };
    const world = new FollowWorld({}, { read });
    world.loop.start();
    await settle();
    expect(world.seen).toEqual(['0:3', '0:7', '0:9']);
    expect(next).toEqual([undefined, 4, 8, 10]);
    await world.loop.stop();
  });

  it('sleeps while there is nothing, wakes at once for a hint, and finds what no hint told of', async () => {
    const world = new FollowWorld();
    world.loop.start();
    await settle();
    world.append(0, 1);
    await settle();
    expect(world.seen).toEqual(['0:0']);
    world.lanes[0]?.push(record(0, 1));
    await settle();
    expect(world.seen).toEqual(['0:0']);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.seen).toEqual(['0:0', '0:1']);
    await world.loop.stop();
  });

  it('does not lose a hint that comes while it reads', async () => {
    let reads = 0;
    const lane: LogRecord[] = [];
    const read = async (checkpoints: LaneCheckpoints) => {
      const found = lane.slice(checkpoints.get(0 as Lane) ?? 0);
      if (++reads === 1) {
        lane.push(record(0, 0));
        world.loop.wake();
      }
      return found;
    };
    const world = new FollowWorld({}, { read });
    world.loop.start();
    await settle();
    expect(world.seen).toEqual(['0:0']);
    await world.loop.stop();
  });

  it('passes what is erased at the end of a lane by a batch without records, once', async () => {
    const ends = async () => new Map([[0 as Lane, 5]]);
    const world = new FollowWorld({}, { ends });
    world.append(0, 2);
    world.loop.start();
    await settle();
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect(world.seen).toEqual(['0:0', '0:1']);
    expect(world.handled.slice(1)).toEqual([{ records: [], checkpoints: new Map([[0, { from: 2, to: 5 }]]) }]);
    await world.loop.stop();
  });

  it('passes nothing that was appended between its look at the records and at the end', async () => {
    const world: FollowWorld = new FollowWorld(
      {},
      {
        ends: async () => {
          if (world.seen.length === 0) world.append(0, 2);
          return new Map([[0 as Lane, 2]]);
        },
      },
    );
    world.loop.start();
    await settle();
    expect(world.seen).toEqual(['0:0', '0:1']);
    await world.loop.stop();
  });

  it('passes nothing while the log is for another follower to read', async () => {
    const world = new FollowWorld({}, { read: async () => undefined, ends: async () => new Map([[0 as Lane, 5]]) });
    world.loop.start();
    await settle();
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect(world.handled).toEqual([]);
    await world.loop.stop();
  });

  it('gives a failed batch again, tells of each failure, and skips nothing', async () => {
    const world = new FollowWorld();
    let failures = 3;
    world.onHandle = () => {
      if (failures-- > 0) throw new Error(`failure ${failures}`);
    };
    world.append(0, 4);
    world.loop.start();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.seen).toEqual(['0:0', '0:1', '0:2', '0:3']);
    expect(world.faults.map(String)).toEqual(['Error: failure 2', 'Error: failure 1', 'Error: failure 0']);
    // Somebody else may have moved on meanwhile.
    expect(world.loads).toHaveLength(4);
    await world.loop.stop();
  });

  it('survives a log that cannot be read and checkpoints that cannot be loaded', async () => {
    let failures = 2;
    const world: FollowWorld = new FollowWorld({
      loadCheckpoints: async () => {
        if (failures-- > 0) throw new Error('no checkpoints');
        return new Map(world.stored);
      },
    });
    let unreadable = 2;
    world.onRead = () => {
      if (unreadable-- > 0) throw new Error('no log');
    };
    world.append(0, 1);
    world.loop.start();
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect(world.seen).toEqual(['0:0']);
    expect(world.faults).toHaveLength(4);
    await world.loop.stop();
  });

  it('doubles its back-off up to the maximum, and begins anew after a success', async () => {
    const world = new FollowWorld();
    let failing = true;
    world.onHandle = () => {
      if (failing) throw new Error('not now');
    };
    world.append(0, 1);
    world.loop.start();
    await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
    const { first, maximum } = RETRY_DELAY_MS;
    expect(world.gapsMs.slice(0, 9)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect([Math.min(...world.gapsMs), Math.max(...world.gapsMs)]).toEqual([first, maximum]);
    failing = false;
    await jest.advanceTimersByTimeAsync(maximum);
    expect(world.seen).toEqual(['0:0']);
    failing = true;
    world.attemptedAt.length = 0;
    world.append(0, 1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.gapsMs[0]).toBe(first);
    await world.loop.stop();
  });

  it('tries again early for a hint, but a stream of hints does not turn the back-off into a busy loop (G9)', async () => {
    const world = new FollowWorld();
    world.onHandle = () => {
      throw new Error('not now');
    };
    world.append(0, 1);
    world.loop.start();
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    world.attemptedAt.length = 0;
    for (let ms = 0; ms < 1_000; ms++) {
      world.append(0, 1);
      await jest.advanceTimersByTimeAsync(1);
    }
    expect(world.attemptedAt.length).toBeLessThanOrEqual(1_000 / RETRY_DELAY_MS.first + 1);
    expect(world.attemptedAt.length).toBeGreaterThan(5);
    await world.loop.stop();
  });

  it('loads the checkpoints anew when it takes over', async () => {
    const world = new FollowWorld();
    world.loop.start();
    await settle();
    world.lanes[0]?.push(record(0, 0), record(0, 1), record(0, 2));
    world.stored.set(0 as Lane, 2);
    world.loop.takeOver();
    await settle();
    expect(world.seen).toEqual(['0:2']);
    expect(world.loads).toHaveLength(2);
    await world.loop.stop();
  });

  it('never handles two batches at the same time', async () => {
    const world = new FollowWorld({ maxBatchRecords: 1 });
    let open = 0;
    let most = 0;
    world.onHandle = async () => {
      most = Math.max(most, ++open);
      await Promise.resolve();
      open--;
    };
    for (let n = 0; n < 20; n++) world.append(n % 2, 1);
    world.loop.start();
    await settle();
    expect([world.seen.length, most]).toEqual([20, 1]);
    await world.loop.stop();
  });

  it.each<[string, (world: FollowWorld) => void]>([
    ['while it sleeps', () => undefined],
    [
      'in the middle of a back-off',
      (world) => {
        world.onHandle = () => {
          throw new Error('not now');
        };
        world.append(0, 1);
      },
    ],
  ])('stops at once %s, and leaves no timer behind', async (_, prepare) => {
    const world = new FollowWorld();
    prepare(world);
    world.loop.start();
    await jest.advanceTimersByTimeAsync(100);
    const attempts = world.attemptedAt.length;
    await world.loop.stop();
    await world.loop.stop();
    expect(jest.getTimerCount()).toBe(0);
    world.append(1, 1);
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect(world.attemptedAt).toHaveLength(attempts);
  });

  it('stops after the batch in hand', async () => {
    const world = new FollowWorld({ maxBatchRecords: 1 });
    let finish: () => void = () => undefined;
    world.onHandle = () => new Promise<void>((resolve) => (finish = resolve));
    world.append(0, 3);
    world.loop.start();
    await settle();
    let stopped = false;
    const stopping = world.loop.stop().then(() => (stopped = true));
    await settle();
    expect([stopped, world.seen]).toEqual([false, []]);
    finish();
    await stopping;
    expect(world.seen).toEqual(['0:0']);
  });

  it('stops before it began', async () => {
    await new FollowWorld().loop.stop();
  });
});
