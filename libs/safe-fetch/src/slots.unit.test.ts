import { Slots } from './slots';
import { codeOf } from '../test/world';

const limits = { maxConcurrent: 3, maxConcurrentPerHost: 2, maxWaiting: 2, maxWaitingPerHost: 2, maxWaitMs: 60_000 };

describe('Slots', () => {
  it('bounds what runs, in all and with one host, and serves in order', async () => {
    const slots = new Slots(limits);
    const order: string[] = [];
    const take = (name: string, host: string): Promise<() => void> =>
      slots.take(host, undefined).then((release) => {
        order.push(name);
        return release;
      });
    const [releaseA1] = await Promise.all([take('a1', 'a'), take('a2', 'a')]);
    const waiting = take('a3', 'a');
    const releaseB1 = await take('b1', 'b');
    const last = take('b2', 'b');
    expect(order).toEqual(['a1', 'a2', 'b1']);
    releaseB1();
    await last;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
    releaseA1();
    releaseA1();
    await waiting;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
  });

  it('is busy where too many wait, or too long (G9)', async () => {
    const slots = new Slots({ ...limits, maxConcurrent: 1, maxWaitMs: 20 });
    const release = await slots.take('a', undefined);
    const waiting = [slots.take('a', undefined), slots.take('b', undefined)].map(codeOf);
    expect(await codeOf(slots.take('c', undefined))).toBe('busy');
    expect(await Promise.all(waiting)).toEqual(['busy', 'busy']);
    release();
    (await slots.take('a', undefined))();
  });

  it('is busy for a host for which too many wait, and not for the others (G9)', async () => {
    const slots = new Slots({ ...limits, maxConcurrentPerHost: 1, maxWaiting: 100, maxWaitingPerHost: 3 });
    const release = await slots.take('slow', undefined);
    const waiting = Array.from({ length: 3 }, () => slots.take('slow', undefined).then((free) => free()));
    expect(await codeOf(slots.take('slow', undefined))).toBe('busy');
    (await slots.take('healthy', undefined))();
    release();
    await Promise.all(waiting);
    (await slots.take('slow', undefined))();
  });

  it('lets go of who is aborted, and of their place', async () => {
    const slots = new Slots({ ...limits, maxConcurrent: 1, maxWaiting: 1 });
    const release = await slots.take('a', undefined);
    const abort = new AbortController();
    const waiting = codeOf(slots.take('a', abort.signal));
    abort.abort();
    expect(await waiting).toBe('aborted');
    expect(await codeOf(slots.take('a', abort.signal))).toBe('aborted');
    const next = slots.take('b', undefined);
    release();
    (await next)();
  });
});
