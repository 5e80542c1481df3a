import type { RecordedRun } from '@sluice/event-log';
import { numbers, World } from '../test/world';

const LIMITS = { tailCheckMs: 1_000, tailGraceMs: 100, tailPatienceMs: 10_000 };

describe('TailWatch', () => {
  let world: World;
  beforeEach(async () => {
    jest.useFakeTimers();
    world = new World(LIMITS);
    const started = world.feed.start();
    await jest.advanceTimersByTimeAsync(0);
    await started;
  });
  afterEach(async () => {
    const stopped = world.feed.stop();
    await jest.advanceTimersByTimeAsync(0);
    await stopped;
    jest.useRealTimers();
  });

  const record = (count: number) => world.record(...Array.from({ length: count }, () => ({})));
  /** One event after the other, each within the grace. */
  const bring = async ({ epoch, events }: RecordedRun) => {
    for (const event of events) {
      await jest.advanceTimersByTimeAsync(LIMITS.tailGraceMs * 0.9);
      await world.deliveryLog.publish({ epoch, events: [event] });
    }
    await jest.advanceTimersByTimeAsync(0);
  };

  it('reads nothing while the delivery log is late and brings what is recorded bit by bit', async () => {
    const reader = (await world.subscribe('latest')).follow();
    await bring(await record(50));
    await jest.advanceTimersByTimeAsync(LIMITS.tailCheckMs);
    expect(reader.positions).toEqual(numbers(1, 50));
    expect(world.reader.calls.readAll).toBe(0);
  });

  it('goes back to a log that is late after it has read ahead of it', async () => {
    const reader = (await world.subscribe('latest')).follow();
    const first = await record(20);
    await jest.advanceTimersByTimeAsync(2 * LIMITS.tailCheckMs);
    expect(reader.positions).toEqual(numbers(1, 20));
    const reads = world.reader.calls.readAll;
    const second = await record(20);
    await bring(first);
    await bring(second);
    expect(reader.positions).toEqual(numbers(1, 40));
    expect(world.reader.calls.readAll).toBe(reads);
  });

  it('reads what the delivery log brings no more of, though it brought some, and though it repeats that', async () => {
    const reader = (await world.subscribe('latest')).follow();
    const { epoch, events } = await record(9);
    const brought = { epoch, events: events.filter(({ event }) => event.position <= 3) };
    for (let elapsedMs = 0; elapsedMs < LIMITS.tailCheckMs + 3 * LIMITS.tailGraceMs; elapsedMs += 50) {
      await world.deliveryLog.publish(brought);
      await jest.advanceTimersByTimeAsync(50);
    }
    expect(reader.positions).toEqual(numbers(1, 9));
  });

  it('reads ahead of a log that is too late, up to what is recorded by then', async () => {
    const reader = (await world.subscribe('latest')).follow();
    const { epoch, events } = await record(300);
    const waited = Math.floor((LIMITS.tailCheckMs + LIMITS.tailPatienceMs) / 90);
    await bring({ epoch, events: events.slice(0, waited - 5) });
    await record(50);
    await bring({ epoch, events: events.slice(waited - 5, waited + 2) });
    expect(reader.positions).toEqual(numbers(1, 350));
  });
});
