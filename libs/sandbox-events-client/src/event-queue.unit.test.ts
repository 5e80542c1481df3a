import { rejection } from '../test/until';
import { EventQueue } from './event-queue';
import type { SandboxEvent } from './types';

function event(n: number): SandboxEvent {
  return { id: `e${n}`, sandboxId: 's', workspaceId: 1, type: 't', data: {}, timestamp: n };
}

function queueOf(maxEvents: number) {
  const calls: string[] = [];
  const queue = new EventQueue(maxEvents, {
    onRoom: () => calls.push('room'),
    onReturn: () => calls.push('return'),
  });
  return { queue, calls };
}

it('serves events and waiting readers in order', async () => {
  const { queue } = queueOf(10);
  const early = [queue.next(), queue.next()];
  for (const n of [1, 2, 3]) queue.push(event(n), 10);
  const results = await Promise.all([...early, queue.next()]);
  expect(results.map((result) => result.value?.id)).toEqual(['e1', 'e2', 'e3']);
});

it('is full at its limit and has room at the half', async () => {
  const { queue, calls } = queueOf(4);
  for (const n of [1, 2, 3, 4]) queue.push(event(n), 10);
  expect(queue.isFull).toBe(true);
  await queue.next();
  expect(calls).toEqual([]);
  await queue.next();
  expect(calls).toEqual(['room']);
  expect(queue.isFull).toBe(false);
});

it('is full when its events are large', () => {
  const { queue } = queueOf(1_000);
  queue.push(event(1), 16 * 1024 * 1024);
  expect(queue.isFull).toBe(true);
});

it('gives what it holds before it ends or throws', async () => {
  const ended = queueOf(4).queue;
  ended.push(event(1), 1);
  ended.finish();
  ended.push(event(2), 1);
  await expect(ended.next()).resolves.toMatchObject({ value: { id: 'e1' } });
  await expect(ended.next()).resolves.toEqual({ done: true, value: undefined });

  const failed = queueOf(4).queue;
  failed.push(event(1), 1);
  failed.finish(new Error('lost'));
  await failed.next();
  expect((await rejection(failed.next())).message).toBe('lost');
  await expect(failed.next()).resolves.toMatchObject({ done: true });
});

it('settles readers that wait', async () => {
  const { queue, calls } = queueOf(4);
  const waiting = queue.next();
  await queue.return();
  await expect(waiting).resolves.toMatchObject({ done: true });
  expect(calls).toEqual(['return']);
});
