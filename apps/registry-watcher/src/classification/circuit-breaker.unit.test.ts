import { CircuitBreaker, type BreakerPass, type BreakerState } from './circuit-breaker';

function world() {
  let nowMs = 1_000;
  const states: BreakerState[] = [];
  const breaker = new CircuitBreaker({
    nowMs: () => nowMs,
    onState: (state) => states.push(state),
    limits: { failuresToOpen: 3, openMs: 100, maxOpenMs: 400 },
  });
  const enter = (): BreakerPass => {
    const entry = breaker.enter();
    if (!entry.isAllowed) throw new Error(`not for ${entry.retryAfterMs} ms`);
    return entry.pass;
  };
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) enter().failed();
  };
  return { breaker, states, enter, fail, pass: (ms: number) => void (nowMs += ms) };
}

it('opens after so many failures in a row, and no earlier', () => {
  const { breaker, states, enter, fail } = world();
  fail(2);
  enter().succeeded();
  fail(2);
  expect([breaker.state, breaker.waitMs()]).toEqual(['closed', 0]);
  fail(1);
  expect([breaker.state, breaker.waitMs()]).toEqual(['open', 100]);
  expect(breaker.enter()).toEqual({ isAllowed: false, retryAfterMs: 100 });
  expect(states).toEqual(['open']);
});

it('lets one request try when the pause is over, and closes when it succeeds', () => {
  const { breaker, states, enter, fail, pass } = world();
  fail(3);
  pass(100);
  const trial = enter();
  expect(breaker.enter()).toEqual({ isAllowed: false, retryAfterMs: 100 });
  trial.succeeded();
  expect(states).toEqual(['open', 'half_open', 'closed']);
  fail(2);
  expect(breaker.state).toBe('closed');
});

it('stays open for twice as long after each trial that fails, up to a bound', () => {
  const { breaker, enter, fail, pass } = world();
  fail(3);
  const waits = Array.from({ length: 4 }, () => {
    pass(breaker.waitMs());
    enter().failed();
    return breaker.waitMs();
  });
  expect(waits).toEqual([200, 400, 400, 400]);
  pass(400);
  enter().succeeded();
  fail(3);
  expect(breaker.waitMs()).toBe(100);
});

it('opens at once for as long as the endpoint asks', () => {
  const { breaker, enter, pass } = world();
  enter().failed(5_000);
  expect(breaker.waitMs()).toBe(5_000);
  pass(5_000);
  enter().succeeded();
  expect(breaker.state).toBe('closed');
});

it('lets another request try when the trial was given up', () => {
  const { breaker, enter, fail, pass } = world();
  fail(3);
  pass(100);
  enter().abandoned();
  expect([breaker.state, breaker.waitMs()]).toEqual(['open', 0]);
  enter().succeeded();
  expect(breaker.state).toBe('closed');
});

it('hears each request once, and none from before it opened', () => {
  const { breaker, enter, fail } = world();
  const early = enter();
  const late = enter();
  const twice = enter();
  twice.failed();
  twice.failed();
  twice.failed();
  expect(breaker.state).toBe('closed');
  fail(2);
  early.succeeded();
  late.failed(9_000);
  expect([breaker.state, breaker.waitMs()]).toEqual(['open', 100]);
});
