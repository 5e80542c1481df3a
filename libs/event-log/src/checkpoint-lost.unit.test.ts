import { FollowWorld, MINUTE_MS, ownTime, settle } from '../test/follow-world';
import { assertNotLost, CHECKPOINT_CHECK_MS, CheckpointLost } from './checkpoint-lost';
import type { Lane } from './ports/durable-log';

const [A, B] = [0, 1] as Lane[] as [Lane, Lane];

it('is lost where less is stored than a batch begins with, also where nothing is', () => {
  const moves = new Map([
    [A, { from: 4, to: 7 }],
    [B, { from: 0, to: 1 }],
  ]);
  for (const stored of [4, 5, 9]) expect(() => assertNotLost(moves, new Map([[A, stored]]))).not.toThrow();
  for (const stored of [new Map([[A, 3]]), new Map([[B, 9]])]) {
    expect(() => assertNotLost(moves, stored)).toThrow(CheckpointLost);
  }
  expect(() => assertNotLost(moves, new Map())).toThrow('read again from 0, not from 4');
});

describe('FollowLoop', () => {
  ownTime();

  it('says with each batch what it holds for stored', async () => {
    const world = new FollowWorld();
    world.stored.set(0 as Lane, 4);
    world.append(0, 9);
    world.append(1, 1);
    world.loop.start();
    await settle();
    expect(world.handled.map(({ checkpoints }) => [...checkpoints])).toEqual([
      [[0, { from: 4, to: 7 }]],
      [
        [0, { from: 7, to: 9 }],
        [1, { from: 0, to: 1 }],
      ],
    ]);
    await world.loop.stop();
  });

  it('goes back to what is stored when that was lost, skips nothing, and tells of it once (G1)', async () => {
    const world = new FollowWorld();
    world.append(0, 6);
    world.loop.start();
    await settle();
    world.stored.set(0 as Lane, 2);
    world.handled.length = 0;
    world.append(0, 1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.seen).toEqual(['0:2', '0:3', '0:4', '0:5', '0:6']);
    expect(world.faults.map(String)).toEqual([expect.stringContaining('it is read again from 2, not from 6')]);
    await world.loop.stop();
  });

  it.each([
    ['within seconds', {}, CHECKPOINT_CHECK_MS + 1_000],
    ['as soon as it is told to look', { checkIntervalMs: 100 }, 100],
  ])('finds what was lost while nothing comes, %s', async (_name, options, withinMs) => {
    const world = new FollowWorld(options);
    world.append(0, 6);
    world.loop.start();
    await settle();
    world.handled.length = 0;
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect([world.seen, world.faults]).toEqual([[], []]);
    world.stored.clear();
    await jest.advanceTimersByTimeAsync(withinMs);
    expect(world.seen).toEqual(['0:0', '0:1', '0:2', '0:3', '0:4', '0:5']);
    expect(world.faults).toHaveLength(1);
    await world.loop.stop();
  });

  it('does not mind that somebody else has stored more', async () => {
    const world = new FollowWorld();
    world.append(0, 2);
    world.loop.start();
    await settle();
    world.stored.set(0 as Lane, 5);
    world.append(0, 1);
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect([world.seen, world.faults]).toEqual([['0:0', '0:1', '0:2'], []]);
    await world.loop.stop();
  });
});
