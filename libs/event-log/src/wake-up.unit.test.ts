import { WakeUp } from './wake-up';

const LONG_MS = 3_600_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Whether the promise is settled once everything that is already decided has happened. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await jest.advanceTimersByTimeAsync(0);
  return settled;
}

describe('WakeUp', () => {
  it('sleeps for the time it was told', async () => {
    const sleep = new WakeUp().sleep(100);
    await jest.advanceTimersByTimeAsync(99);
    expect(await isSettled(sleep)).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await isSettled(sleep)).toBe(true);
  });

  it('ends a sleep early and leaves no timer behind', async () => {
    const wakeUp = new WakeUp();
    const sleep = wakeUp.sleep(LONG_MS);
    wakeUp.wake();
    await sleep;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not lose a wake-up that comes while nobody sleeps', async () => {
    const wakeUp = new WakeUp();
    wakeUp.wake();
    await wakeUp.sleep(LONG_MS);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('forgets on reset the wake-ups that came before, and none that comes after', async () => {
    const wakeUp = new WakeUp();
    wakeUp.wake();
    wakeUp.reset();
    const sleep = wakeUp.sleep(LONG_MS);
    expect(await isSettled(sleep)).toBe(false);
    wakeUp.wake();
    await sleep;
  });

  it('takes any number of wake-ups for one', async () => {
    const wakeUp = new WakeUp();
    const sleep = wakeUp.sleep(LONG_MS);
    for (let n = 0; n < 100; n++) wakeUp.wake();
    await sleep;
    wakeUp.reset();
    expect(await isSettled(wakeUp.sleep(LONG_MS))).toBe(false);
  });
});
