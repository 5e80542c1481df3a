import { accessConfigSchema, CallerLimiter, RATE_TELL_INTERVAL_MS, type Principal } from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import { testNatsUrl } from './testing/config';
import { Relay } from './testing/relay';
import { TestReplicas, type TestReplica } from './testing/test-replicas';

const PER_SECOND = 100;
const BURST = 50;
const { limits } = accessConfigSchema.parse({ limits: { apiKey: { requestsPerSecond: PER_SECOND, burst: BURST } } });
const key = (keyId: string): Principal => ({ kind: 'api_key', keyId, workspaceId: 1, role: 'writer', limits: {} });

function admits(limiter: CallerLimiter, principal: Principal): boolean {
  try {
    limiter.takeRequest(principal);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'rate_limited' });
    return false;
  }
}

describe('rates over NATS', () => {
  let replicas: TestReplicas;
  let relay: Relay;
  const limiters: CallerLimiter[] = [];

  beforeEach(async () => {
    replicas = new TestReplicas(testNatsUrl());
    relay = await Relay.prepare(testNatsUrl());
  });
  afterEach(async () => {
    for (const limiter of limiters.splice(0)) limiter.close();
    await replicas.destroy();
    await relay.close();
  });

  const limiterOf = ({ coordination }: TestReplica) => {
    const limiter = new CallerLimiter(limits, { rates: async () => coordination.rates });
    limiters.push(limiter);
    return limiter;
  };

  const heard = ({ metrics }: TestReplica) => metrics.some(({ kind }) => kind === 'rates_heard');

  /** Both hear each other from now on. */
  async function acquaint(pairs: readonly (readonly [TestReplica, CallerLimiter])[]): Promise<void> {
    await until(() => {
      for (const [, limiter] of pairs) admits(limiter, key('first'));
      return pairs.every(([replica]) => heard(replica));
    }, 'they hear each other');
  }

  it('hold over two processes, but for what the other admits in one interval', async () => {
    const [one, other] = [await replicas.open(), await replicas.open()];
    const pair = [
      [one, limiterOf(one)],
      [other, limiterOf(other)],
    ] as const;
    await acquaint(pair);
    let admitted = 0;
    const startedAt = performance.now();
    const elapsedSeconds = () => (performance.now() - startedAt) / 1_000;
    await until(() => {
      for (const [, limiter] of pair) while (admits(limiter, key('a'))) admitted++;
      return elapsedSeconds() > 3;
    }, 'time has passed');
    const allowed = BURST + PER_SECOND * elapsedSeconds();
    // Half a second more than an interval: two cores are shared with other tests.
    const overshoot = BURST + (PER_SECOND * (RATE_TELL_INTERVAL_MS + 500)) / 1_000;
    expect(admitted).toBeLessThanOrEqual(allowed + overshoot);
    expect(admitted).toBeGreaterThan(allowed / 2);
  });

  it('are counted by each alone while NATS is away, and together afterwards', async () => {
    await relay.open();
    const [here, cutOff] = [await replicas.open(), await replicas.open({ servers: relay.url })];
    const [hereLimiter, cutOffLimiter] = [limiterOf(here), limiterOf(cutOff)];
    await acquaint([
      [here, hereLimiter],
      [cutOff, cutOffLimiter],
    ]);
    await relay.close();
    await until(() => !cutOff.coordination.connectionSlots.isShared, 'it is cut off');
    for (let n = 0; n < BURST; n++) expect(admits(hereLimiter, key('a'))).toBe(true);
    for (let n = 0; n < BURST; n++) expect(admits(cutOffLimiter, key('a'))).toBe(true);
    await relay.open();
    await until(() => cutOff.coordination.connectionSlots.isShared, 'it is back');
    let spent = 0;
    await until(() => {
      if (admits(hereLimiter, key('b'))) spent++;
      // What is spent here is missing there.
      return spent > 0 && cutOffLimiter.remaining(key('b')).remaining < BURST - 1;
    }, 'it hears of what is spent here');
  });
});
