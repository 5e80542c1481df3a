import { accessConfigSchema } from '../access-config';
import type { Principal } from '../principal';
import { FakeClock } from '../testing/fake-clock';
import { CallerLimiter } from './caller-limiter';
import { MAX_TOLD_CALLERS, RATE_TELL_INTERVAL_MS, type RateExchange, type Spending } from './rate-exchange';

const key = (keyId: string): Principal => ({ kind: 'api_key', keyId, workspaceId: 1, role: 'writer', limits: {} });

/** All processes in this one: what one tells, the others hear at once. */
class Air {
  readonly told: (readonly Spending[])[] = [];
  private readonly ears = new Map<object, (spent: readonly Spending[]) => void>();

  readonly join = async (): Promise<RateExchange> => {
    const self = {};
    return {
      tell: (spent) => {
        this.told.push(spent);
        for (const [ear, hear] of this.ears) if (ear !== self) hear(spent);
      },
      listen: (hear) => {
        this.ears.set(self, hear);
        return () => this.ears.delete(self);
      },
    };
  };

  get listeners(): number {
    return this.ears.size;
  }
}

const PER_SECOND = 10;
const BURST = 20;

function setUp(processes: number, { air = new Air(), maxTracked = 10_000 } = {}) {
  const untold: [reason: string, requests: number][] = [];
  const clock = new FakeClock(0);
  const { limits } = accessConfigSchema.parse({
    limits: { apiKey: { requestsPerSecond: PER_SECOND, burst: BURST }, maxTracked },
  });
  const onUntold = (...each: (typeof untold)[number]) => untold.push(each);
  const limiters = Array.from(
    { length: processes },
    () => new CallerLimiter(limits, { clock: clock.read, rates: air.join, onUntold }),
  );
  const pass = async (ms: number) => {
    clock.advance(ms);
    await jest.advanceTimersByTimeAsync(ms);
  };
  return { air, limiters, pass, untold };
}

function take(limiter: CallerLimiter | undefined, principal: Principal, wanted: number): number {
  for (let taken = 0; taken < wanted; taken++) {
    try {
      limiter?.takeRequest(principal);
    } catch (error) {
      expect(error).toMatchObject({ code: 'rate_limited' });
      return taken;
    }
  }
  return wanted;
}

describe('rates over several processes', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('are charged with what the others admitted, an interval later', async () => {
    const { limiters, pass } = setUp(2);
    const [one, other] = limiters;
    // Both know each other from before.
    for (const limiter of limiters) take(limiter, key('a'), 1);
    await pass(RATE_TELL_INTERVAL_MS);
    await pass(1_000);
    expect(take(one, key('a'), BURST - 5)).toBe(BURST - 5);
    await pass(RATE_TELL_INTERVAL_MS);
    expect(take(other, key('a'), BURST)).toBe(5);
    expect(take(other, key('b'), BURST)).toBe(BURST);
  });

  it('admit over any time the burst, the rate, and what the others admit in one interval', async () => {
    const { limiters, pass } = setUp(3);
    for (const limiter of limiters) take(limiter, key('first'), 1);
    await pass(RATE_TELL_INTERVAL_MS);
    let admitted = 0;
    const SECONDS = 20;
    for (let step = 0; step < (SECONDS * 1_000) / 50; step++) {
      for (const limiter of limiters) admitted += take(limiter, key('a'), 100);
      await pass(50);
    }
    const allowed = BURST + PER_SECOND * SECONDS;
    const overshoot = 2 * (BURST + (PER_SECOND * RATE_TELL_INTERVAL_MS) / 1_000);
    expect(admitted).toBeLessThanOrEqual(allowed + overshoot);
    // What was too much at first is a debt that was paid: it does not grow with the time, and nobody is starved.
    expect(admitted).toBeGreaterThanOrEqual(allowed - BURST);
  });

  it('count the events of a batch too, and go by the rate of the key that is told', async () => {
    const { limiters, pass } = setUp(2);
    const [one, other] = limiters;
    for (const limiter of limiters) take(limiter, key('first'), 1);
    await pass(RATE_TELL_INTERVAL_MS);
    const slow: Principal = { ...key('slow'), limits: { requestsPerSecond: 1, burst: 10 } } as Principal;
    one?.takeRequest(slow);
    one?.takeEvents(slow, 10);
    await pass(RATE_TELL_INTERVAL_MS);
    expect(take(other, slow, 10)).toBe(0);
    await pass(5_000);
    expect(take(other, slow, 10)).toBe(5);
  });

  it('are told of those who spent most, when there are too many', async () => {
    const { air, limiters, pass, untold } = setUp(1);
    const [one] = limiters;
    for (let n = 0; n < MAX_TOLD_CALLERS + 100; n++) take(one, key(`k${n}`), n < 100 ? 1 : 2);
    await pass(RATE_TELL_INTERVAL_MS);
    expect(air.told).toHaveLength(1);
    expect(air.told[0]).toHaveLength(MAX_TOLD_CALLERS);
    expect(air.told[0]?.every(({ cost }) => cost === 2)).toBe(true);
    expect(untold).toEqual([['callers_told', 100]]);
  });

  it('are not told of more callers than are gathered, which is counted', async () => {
    const { air, limiters, pass, untold } = setUp(1, { maxTracked: 3 });
    const [one] = limiters;
    for (let n = 0; n < 5; n++) take(one, key(`k${n}`), 1);
    one?.takeEvents(key('k4'), 4);
    one?.takeEvents(key('k0'), 4);
    await pass(RATE_TELL_INTERVAL_MS);
    expect(air.told[0]?.map(({ key: caller, cost }) => [caller, cost])).toEqual([
      ['key/k0', 4],
      ['key/k1', 1],
      ['key/k2', 1],
    ]);
    expect(untold).toEqual([
      ['callers_gathered', 1],
      ['callers_gathered', 1],
      ['callers_gathered', 3],
    ]);
  });

  it('are not told while nothing is spent, and no more when the limiter is closed', async () => {
    const { air, limiters, pass } = setUp(2);
    await pass(10 * RATE_TELL_INTERVAL_MS);
    expect([air.told.length, air.listeners, jest.getTimerCount()]).toEqual([0, 0, 0]);
    take(limiters[0], key('a'), 1);
    await pass(RATE_TELL_INTERVAL_MS);
    expect([air.told.length, air.listeners, jest.getTimerCount()]).toEqual([1, 1, 0]);
    take(limiters[0], key('a'), 3);
    limiters[0]?.close();
    expect(air.told.at(-1)).toMatchObject([{ key: 'key/a', cost: 3 }]);
    take(limiters[0], key('a'), 1);
    expect([air.told.length, air.listeners, jest.getTimerCount()]).toEqual([2, 0, 0]);
  });

  it('are counted here while the exchange cannot be opened, which is tried again', async () => {
    const air = new Air();
    let isBroken = true;
    const { limits } = accessConfigSchema.parse({ limits: { apiKey: { requestsPerSecond: 1, burst: 3 } } });
    const rates = async () => {
      if (isBroken) throw new Error('away');
      return air.join();
    };
    const limiter = new CallerLimiter(limits, { rates, clock: new FakeClock(0).read });
    expect(take(limiter, key('a'), 5)).toBe(3);
    await jest.advanceTimersByTimeAsync(RATE_TELL_INTERVAL_MS);
    isBroken = false;
    take(limiter, key('b'), 1);
    await jest.advanceTimersByTimeAsync(RATE_TELL_INTERVAL_MS);
    expect(air.told).toMatchObject([[{ key: 'key/b', cost: 1 }]]);
  });
});
