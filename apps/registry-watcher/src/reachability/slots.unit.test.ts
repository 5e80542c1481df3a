import { Slots } from './slots';

const NEVER = new AbortController().signal;

it('gives at most so many slots, first come first served', async () => {
  const slots = new Slots(2);
  const order: number[] = [];
  const frees: (() => void)[] = [];
  const taking = [1, 2, 3, 4].map(async (who) => {
    const free = await slots.take(NEVER);
    order.push(who);
    if (free !== undefined) frees.push(free);
  });
  await Promise.all(taking.slice(0, 2));
  expect([order, slots.running, slots.waiting]).toEqual([[1, 2], 2, 2]);
  frees[0]?.();
  await taking[2];
  expect([order, slots.running, slots.waiting]).toEqual([[1, 2, 3], 2, 1]);
  frees[1]?.();
  await taking[3];
  frees[2]?.();
  frees[3]?.();
  expect([order, slots.running, slots.waiting]).toEqual([[1, 2, 3, 4], 0, 0]);
});

it('gives nothing to who gave up, and loses no slot by it', async () => {
  const slots = new Slots(1);
  const free = await slots.take(NEVER);
  const abort = new AbortController();
  const waiting = slots.take(abort.signal);
  abort.abort();
  expect(await waiting).toBeUndefined();
  expect(await slots.take(abort.signal)).toBeUndefined();
  free?.();
  expect(slots.running).toBe(0);
  expect(await slots.take(NEVER)).toBeInstanceOf(Function);
});
