import { KeyedLocks } from './keyed-locks';

const quiet = () => undefined;

it('lets one at a time work on a key, in order, whatever fails', async () => {
  const locks = new KeyedLocks(quiet);
  const done: string[] = [];
  const work = (name: string, fails = false) =>
    locks.run('1/task/a', async () => {
      done.push(`${name} begins`);
      await Promise.resolve();
      done.push(`${name} ends`);
      if (fails) throw new Error(name);
    });
  const results = await Promise.allSettled([work('one', true), work('two')]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(done).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
});

it('holds up no other key', async () => {
  const locks = new KeyedLocks(quiet);
  const never = new Promise<void>(() => undefined);
  void locks.run('1/task/a', () => never);
  await expect(locks.run('1/task/b', async () => 'b')).resolves.toBe('b');
  await expect(locks.run('2/task/a', async () => 'a')).resolves.toBe('a');
});

it('refuses what would wait too long, and forgets what is done', async () => {
  const refused: string[] = [];
  const locks = new KeyedLocks((why) => refused.push(why), { waitingPerKey: 1, total: 3 });
  let finish: () => void = () => undefined;
  const first = locks.run('1/a', () => new Promise<void>((resolve) => (finish = resolve)));
  const second = locks.run('1/a', async () => undefined);
  await expect(locks.run('1/a', async () => undefined)).rejects.toMatchObject({ code: 'overloaded' });
  const third = locks.run('1/b', () => first);
  await expect(locks.run('1/c', async () => undefined)).rejects.toMatchObject({ code: 'overloaded' });
  expect(refused).toEqual(['key', 'total']);
  finish();
  await Promise.all([first, second, third]);
  await expect(locks.run('1/a', async () => 'free')).resolves.toBe('free');
});
