import {
  accessConfigSchema,
  CallerLimiter,
  RATE_TELL_INTERVAL_MS,
  type CallerLimiterOptions,
  type Principal,
} from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import { Relay, testNatsUrl } from '@sluice/nats-connection/conformance';
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

  const limiterOf = ({ coordination }: TestReplica, options: CallerLimiterOptions = {}) => {
    const limiter = new CallerLimiter(limits, { rates: async () => coordination.rates, ...options });
    limiters.push(limiter);
    return limiter;
  };

  const heard = ({ metrics }: TestReplica) => metrics.some(({ kind }) => kind === 'rates_heard');

  /** Both hear each other from now on. */
  async function acquaint(pairs: readonly (readonly [TestReplica, CallerLimiter])[], pass = () => 0): Promise<void> {
    await until(() => {
      pass();
      for (const [, limiter] of pairs) admits(limiter, key('first'));
      return pairs.every(([replica]) => heard(replica));
    }, 'they hear each other');
  }

  it('hold over two processes, but for what the other admits in one interval', async () => {
    let nowMs = 0;
    const sides = [await replicas.open(), await replicas.open()].map((replica) => {
      const { rates } = replica.coordination;
      const side = {
        replica,
        taken: 0,
        heardOfOther: 0,
        limiter: limiterOf(replica, {
          clock: () => nowMs,
          rates: async () => ({
            tell: (spent) => rates.tell(spent),
            listen: (onSpent) =>
              rates.listen((spent) => {
                onSpent(spent);
                for (const { key: spender, cost } of spent) if (spender.endsWith('a')) side.heardOfOther += cost;
              }),
          }),
        }),
      };
      return side;
    });
    await acquaint(
      sides.map(({ replica, limiter }) => [replica, limiter] as const),
      () => (nowMs += 1_000),
    );
    const STEPS = 15;
    for (let step = 0; step < STEPS; step++) {
      for (const side of sides) while (admits(side.limiter, key('a'))) side.taken++;
      const [one, other] = sides;
      // The next interval begins when each knows what the other admitted in this one.
      await until(
        () => one?.heardOfOther === other?.taken && other?.heardOfOther === one?.taken,
        'they hear each other',
      );
      nowMs += RATE_TELL_INTERVAL_MS;
    }
    const admitted = sides.reduce((sum, { taken }) => sum + taken, 0);
    const allowed = BURST + (PER_SECOND * STEPS * RATE_TELL_INTERVAL_MS) / 1_000;
    const overshoot = BURST + (PER_SECOND * RATE_TELL_INTERVAL_MS) / 1_000;
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
