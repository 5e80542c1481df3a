import { OpenStreams, type OpenStream } from './open-streams';

/** A stream that is over as soon as it is told to end. */
function stream(log: string[], name: string): OpenStream & { leave(): void } {
  let leave: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (leave = resolve));
  return {
    over,
    leave: () => leave(),
    shutDown: () => {
      log.push(name);
      leave();
    },
  };
}

describe('OpenStreams', () => {
  it('forgets a stream that is over', async () => {
    const streams = new OpenStreams();
    const one = stream([], 'one');
    streams.add(one);
    expect(streams.size).toBe(1);
    one.leave();
    await one.over;
    expect(streams.size).toBe(0);
  });

  it('ends all in an order that chance gives, evenly over the time', async () => {
    const log: string[] = [];
    const times: number[] = [];
    const streams = new OpenStreams();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const one = stream(log, name);
      streams.add({
        ...one,
        shutDown: () => {
          times.push(performance.now());
          one.shutDown();
        },
      });
    }
    const order = [0.5, 0.1, 0.9, 0.3, 0.7];
    const startedAt = performance.now();
    await streams.endAll({ spreadMs: 250, random: () => order.shift() ?? 0 });
    expect([...new Set(log)]).toEqual(['b', 'd', 'a', 'e', 'c']);
    for (const [place, time] of times.slice(0, 5).entries())
      expect(time - startedAt).toBeGreaterThanOrEqual(place * 50 - 2);
    expect(streams.size).toBe(0);
  });

  it('waits for no turn of streams that leave by themselves', async () => {
    const streams = new OpenStreams();
    const leaving = Array.from({ length: 10 }, () => stream([], 'x'));
    for (const one of leaving) streams.add(one);
    const ended = streams.endAll({ spreadMs: 3_600_000, random: () => 0.5 });
    for (const one of leaving) one.leave();
    await ended;
    expect(streams.size).toBe(0);
  });

  it('ends at once what comes after all the others were told', async () => {
    const log: string[] = [];
    const streams = new OpenStreams();
    await streams.endAll({ spreadMs: 0 });
    streams.add(stream(log, 'late'));
    expect(log).toEqual(['late']);
  });
});
