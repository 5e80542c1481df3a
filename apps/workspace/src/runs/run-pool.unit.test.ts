import { RunPool } from './run-pool';

const QUIET = { runsChanged: () => undefined, refusedRun: () => undefined };

function controlled() {
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (finish = resolve));
  return { done, finish };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('runs no more than it may, and refuses what finds no place', async () => {
  const pool = new RunPool({ concurrency: 2, queue: 1, perWorkspace: 10 }, QUIET);
  const tasks = [controlled(), controlled(), controlled()];
  const started: number[] = [];
  pool.reserve(1, 3).forEach((place, index) =>
    place.start(() => {
      started.push(index);
      return tasks[index]?.done ?? Promise.resolve();
    }),
  );
  expect(started).toEqual([0, 1]);
  expect(() => pool.reserve(1)).toThrow('Too many runs wait');
  tasks[0]?.finish();
  await settle();
  expect(started).toEqual([0, 1, 2]);
  expect(pool.reserve(1)).toHaveLength(1);
});

it('takes all places that are asked for, or none', () => {
  const pool = new RunPool({ concurrency: 1, queue: 1, perWorkspace: 10 }, QUIET);
  expect(() => pool.reserve(1, 3)).toThrow();
  expect(pool.reserve(1, 2)).toHaveLength(2);
});

it('bounds one workspace and leaves room to others', () => {
  const pool = new RunPool({ concurrency: 10, queue: 10, perWorkspace: 1 }, QUIET);
  const [place] = pool.reserve(1);
  expect(() => pool.reserve(1)).toThrow('The workspace has its most runs');
  expect(pool.reserve(2)).toHaveLength(1);
  place?.release();
  place?.release();
  expect(pool.noPlace(1)).toBeUndefined();
});

it('lets workspaces take turns', async () => {
  const pool = new RunPool({ concurrency: 1, queue: 10, perWorkspace: 10 }, QUIET);
  const started: number[] = [];
  const gate = controlled();
  for (const workspaceId of [1, 1, 1, 2]) {
    const [place] = pool.reserve(workspaceId);
    place?.start(async () => {
      started.push(workspaceId);
      if (started.length === 1) await gate.done;
    });
  }
  gate.finish();
  await pool.whenIdle();
  expect(started).toEqual([1, 1, 2, 1]);
});

it('keeps the place of a run that is not ready, which holds up nobody', async () => {
  const pool = new RunPool({ concurrency: 1, queue: 1, perWorkspace: 10 }, QUIET);
  const started: string[] = [];
  const gate = controlled();
  const [waiting, other] = pool.reserve(1, 2);
  waiting?.start(async () => void started.push('waiting'), gate.done);
  other?.start(async () => void started.push('other'));
  await settle();
  expect(started).toEqual(['other']);
  expect(() => pool.reserve(1, 2)).toThrow('Too many runs wait');
  waiting?.release();
  gate.finish();
  await pool.whenIdle();
  expect(started).toEqual(['other', 'waiting']);
});
