import { SluiceError } from '@sluice/event-log';
import { gate, until } from '../test/harness';
import { Readiness, type ReadyCheck } from './index';

function started(checks: ReadyCheck[], options: { checkTimeoutMs?: number } = {}) {
  const clock = { nowMs: 0 };
  const readiness = new Readiness(checks, { ...options, nowMs: () => clock.nowMs });
  readiness.markStarted();
  return { readiness, clock };
}

describe('Readiness', () => {
  it('goes from starting over ready to draining, and never back', async () => {
    const readiness = new Readiness([]);
    expect(await readiness.report()).toEqual({ status: 'starting' });
    readiness.markStarted();
    expect(await readiness.report()).toEqual({ status: 'ready', checks: {} });
    readiness.markDraining();
    readiness.markStarted();
    expect(await readiness.report()).toEqual({ status: 'draining' });
  });

  it('fails fast and recovers by itself', async () => {
    let failure: Error | undefined;
    const { readiness, clock } = started([
      { name: 'log', check: () => (failure ? Promise.reject(failure) : Promise.resolve()) },
      { name: 'db', check: () => Promise.resolve() },
    ]);
    expect(await readiness.report()).toEqual({ status: 'ready', checks: { log: 'ok', db: 'ok' } });
    failure = new SluiceError('log_unavailable', 'broker at 10.0.0.1 is down');
    clock.nowMs += 500;
    expect(await readiness.report()).toEqual({ status: 'not_ready', checks: { log: 'log_unavailable', db: 'ok' } });
    failure = undefined;
    clock.nowMs += 500;
    expect(await readiness.report()).toMatchObject({ status: 'ready' });
  });

  it('shows a short code and never the words of an error', async () => {
    const { readiness } = started([
      { name: 'a', check: () => Promise.reject(Object.assign(new Error('secret host'), { code: 'ECONNREFUSED' })) },
      { name: 'b', check: () => Promise.reject(new Error('secret host')) },
      {
        name: 'c',
        check: () => {
          throw Object.assign(new Error('x'), { code: 'not a code!' });
        },
      },
    ]);
    expect((await readiness.report()).checks).toEqual({ a: 'ECONNREFUSED', b: 'failed', c: 'failed' });
  });

  it('asks once for many callers, and not again within the cache time', async () => {
    let calls = 0;
    const held = gate();
    const { readiness, clock } = started([
      {
        name: 'db',
        check: () => {
          calls += 1;
          return held.opened;
        },
      },
    ]);
    const reports = Array.from({ length: 50 }, () => readiness.report());
    held.open();
    await Promise.all(reports);
    clock.nowMs += 499;
    await readiness.report();
    expect(calls).toBe(1);
    clock.nowMs += 1;
    await readiness.report();
    expect(calls).toBe(2);
  });

  it('gives up on a check that hangs, aborts it, and does not pile up calls', async () => {
    let calls = 0;
    let aborted = 0;
    const releases: (() => void)[] = [];
    const hang: ReadyCheck = {
      name: 'db',
      check: (signal) => {
        calls += 1;
        signal.addEventListener('abort', () => (aborted += 1));
        return new Promise((resolve) => releases.push(resolve));
      },
    };
    const { readiness, clock } = started([hang], { checkTimeoutMs: 5 });
    for (let round = 0; round < 10; round += 1) {
      clock.nowMs += 500;
      expect(await readiness.report()).toEqual({ status: 'not_ready', checks: { db: 'timeout' } });
    }
    expect([calls, aborted]).toEqual([4, 4]);
    releases.forEach((release) => release());
    await until(async () => {
      clock.nowMs += 500;
      const report = readiness.report();
      releases.forEach((release) => release());
      await Promise.resolve();
      releases.forEach((release) => release());
      return (await report).status === 'ready';
    });
  });

  it('says draining when the drain began while checks ran', async () => {
    const held = gate();
    const { readiness } = started([{ name: 'db', check: () => held.opened }]);
    const report = readiness.report();
    readiness.markDraining();
    held.open();
    expect(await report).toEqual({ status: 'draining' });
  });
});
