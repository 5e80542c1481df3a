import { PollingWorker } from './polling-worker';

/** Longer than any test: who pauses does not come again. */
const PAUSE_MS = 1_000_000;

it('goes on at once while there is more to do, and pauses then', async () => {
  let rounds = 0;
  let pause = () => {};
  const paused = new Promise<void>((resolve) => (pause = resolve));
  const work = async () => {
    if (++rounds === 3) pause();
    return rounds < 3;
  };
  const worker = new PollingWorker('test', PAUSE_MS, work, () => undefined);
  await worker.start();
  await paused;
  await worker.stop();
  expect(rounds).toBe(3);
});

it('pauses after a fault, and tells it', async () => {
  let rounds = 0;
  let told: (error: unknown) => void = () => {};
  const fault = new Promise((resolve) => (told = resolve));
  const work = () => {
    rounds++;
    return Promise.reject(new Error('away'));
  };
  const worker = new PollingWorker('test', PAUSE_MS, work, (error) => told(error));
  await worker.start();
  expect(await fault).toEqual(new Error('away'));
  await worker.stop();
  expect(rounds).toBe(1);
});
