import { createClassifier, type Classifier, type ClassifierOptions } from '../../src/classification/classifier';
import type { ClassifierConfig } from '../../src/classification/classifier-config';
import { localServers, until, type Answer } from '../reachability/local-server';
import { CLASSIFIED, classifierWith, GOOD, REQUEST, SAY } from './classifying';

const serve = localServers();

const world = (answer: Answer, config?: Partial<ClassifierConfig>, options?: Partial<ClassifierOptions>) =>
  classifierWith(serve, answer, config, options);

it('makes no classifier where none is configured', () => {
  expect(createClassifier({})).toBeUndefined();
});

describe('an endpoint in trouble', () => {
  it('is asked again after 429, 500 and a broken connection', async () => {
    const { ask, server, requests, outcomes } = await world((response, _, index) => {
      if (index === 0) response.writeHead(429, { 'retry-after': '0' }).end();
      else if (index === 1) response.destroy();
      else SAY.messages(response, GOOD);
    });
    expect(await ask()).toEqual(CLASSIFIED);
    expect(server.seen).toHaveLength(3);
    expect(requests).toEqual(['rate_limited', 'unreachable', 'answered']);
    expect(outcomes).toEqual(['classified']);
  });

  it('is given up after three requests', async () => {
    const { ask, server } = await world((response) => void response.writeHead(529).end());
    expect(await ask()).toEqual({
      status: 'failed',
      inputHash: 'hash-1',
      reason: 'endpoint_error',
      retryAfterMs: 300_000,
    });
    expect(server.seen).toHaveLength(3);
  });

  it('is waited for as long as it says, where that is short, and left alone where it is long', async () => {
    const short = await world((response, _, index) => {
      if (index === 0) response.writeHead(429, { 'retry-after': '1' }).end();
      else SAY.messages(response, GOOD);
    });
    expect(await short.ask()).toEqual(CLASSIFIED);
    const [first, second] = short.server.seen;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990);

    const long = await world((response) => void response.writeHead(429, { 'retry-after': '600' }).end());
    expect(await long.ask()).toMatchObject({ reason: 'rate_limited', retryAfterMs: 600_000 });
    const { retryAfterMs, reason } = failureOf(await long.ask());
    expect(reason).toBe('circuit_open');
    expect(retryAfterMs).toBeGreaterThan(590_000);
    expect(long.classifier.waitMs()).toBeGreaterThan(590_000);
    expect(long.server.seen).toHaveLength(1);
  });

  it('costs a bounded time where it does not answer, or never ends to (G9)', async () => {
    const silent = await world(() => undefined, { timeoutMs: 700 });
    expect(await silent.ask()).toMatchObject({ reason: 'timeout', retryAfterMs: 300_000 });
    expect(silent.server.seen).toHaveLength(3);
    const endless = await world(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(timer));
      },
      { timeoutMs: 700 },
    );
    expect(await endless.ask()).toMatchObject({ reason: 'timeout' });
    await until(() => endless.server.left === 3);
  });

  it.each([401, 403, 404])('is not asked again after %i, which opens the breaker in the end', async (status) => {
    const { ask, server, states } = await world((response) => void response.writeHead(status).end());
    for (let i = 0; i < 5; i++) expect(await ask()).toMatchObject({ reason: 'rejected', retryAfterMs: 3_600_000 });
    expect(await ask()).toMatchObject({ reason: 'circuit_open' });
    expect([server.seen.length, states]).toEqual([5, ['open']]);
  });

  it('stays in use when it does not take the text of one agent', async () => {
    const { ask, server, states } = await world((response) => void response.writeHead(400).end());
    for (let i = 0; i < 8; i++) expect(await ask()).toMatchObject({ reason: 'rejected' });
    expect([server.seen.length, states]).toEqual([8, []]);
  });

  it('is left alone when it fails and fails, tried once after the pause, and used again when it is well', async () => {
    let nowMs = 0;
    let isWell = false;
    const { ask, server, states, classifier } = await world(
      (response) => {
        if (isWell) SAY.messages(response, GOOD);
        else response.writeHead(500).end();
      },
      {},
      { nowMs: () => nowMs },
    );
    expect(await ask()).toMatchObject({ reason: 'endpoint_error' });
    expect(await ask()).toMatchObject({ reason: 'circuit_open', retryAfterMs: 60_000 });
    expect(server.seen).toHaveLength(5);
    expect(states).toEqual(['open']);
    expect(classifier.waitMs()).toBe(30_000);
    nowMs += 30_000;
    expect(await ask()).toMatchObject({ status: 'failed' });
    expect(server.seen).toHaveLength(6);
    expect(classifier.waitMs()).toBe(60_000);
    isWell = true;
    nowMs += 60_000;
    expect(await ask()).toEqual(CLASSIFIED);
    expect(states).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
    expect(classifier.waitMs()).toBe(0);
  });
});

it('spends no more than its budget in an hour, repeated requests included', async () => {
  let nowMs = 0;
  const answer: Answer = (response, _, index) => {
    if (index === 0) response.writeHead(500).end();
    else SAY.messages(response, GOOD);
  };
  const { ask, server, classifier } = await world(answer, { budgetPerHour: 3 }, { nowMs: () => nowMs });
  expect(await ask('a')).toEqual(CLASSIFIED);
  expect(await ask('b')).toEqual(CLASSIFIED);
  expect(await ask('c')).toMatchObject({ reason: 'budget_spent', retryAfterMs: 3_600_000 });
  expect([server.seen.length, classifier.waitMs()]).toEqual([3, 3_600_000]);
  nowMs = 3_600_000;
  expect(await ask()).toEqual(CLASSIFIED);
});

it('spends no more than half of its budget on the agents of one owner, so that those of others have their turn', async () => {
  const { ask, server, outcomes, classifier } = await world(
    (response) => SAY.messages(response, GOOD),
    { budgetPerHour: 4 },
    { nowMs: () => 0 },
  );
  for (let i = 0; i < 2; i++) expect(await ask('a')).toEqual(CLASSIFIED);
  const { reason, retryAfterMs } = failureOf(await ask('a'));
  expect(reason).toBe('share_spent');
  // Not at once again, and not all of them at the same time.
  expect(retryAfterMs).toBeGreaterThanOrEqual(1_800_000);
  expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
  expect([server.seen.length, classifier.waitMs()]).toEqual([2, 0]);
  expect(await ask('b')).toEqual(CLASSIFIED);
  expect(outcomes).toEqual(['classified', 'classified', 'share_spent', 'classified']);
});

it('has four classifications at a time, and is busy beyond', async () => {
  const { ask, classifier, server, outcomes } = await world(() => undefined);
  const abort = new AbortController();
  const running = Array.from({ length: 4 }, () => classifier.classify(REQUEST, abort.signal));
  expect(await ask()).toMatchObject({ reason: 'busy', retryAfterMs: 30_000 });
  await until(() => server.seen.length >= 4);
  expect(outcomes).toEqual(['busy']);
  abort.abort();
  await Promise.all(running);
});

it('ends when it is aborted, whether it asks or waits to ask again', async () => {
  const silent = await world(() => undefined);
  // More often than would open the breaker.
  for (let asked = 1; asked <= 6; asked++) {
    await abortedWhen(silent.classifier, () => silent.server.seen.length === asked);
  }
  const waiting = await world((response) => void response.writeHead(500).end(), {}, { retryDelayMs: 9_000 });
  await abortedWhen(waiting.classifier, () => waiting.requests.length === 1);
  expect(silent.states).toEqual([]);
});

it('follows no redirect, so that no other host gets the question or the key', async () => {
  const other = await serve((response) => SAY.messages(response, GOOD));
  const { ask } = await world((response) => void response.writeHead(307, { location: other.url }).end());
  expect(await ask()).toMatchObject({ reason: 'unreachable' });
  expect(other.seen).toEqual([]);
});

async function abortedWhen(classifier: Classifier, condition: () => boolean): Promise<void> {
  const abort = new AbortController();
  const running = classifier.classify(REQUEST, abort.signal);
  await until(condition);
  abort.abort();
  expect(await running).toEqual({ status: 'failed', inputHash: 'hash-1', reason: 'aborted', retryAfterMs: 0 });
}

function failureOf(result: Awaited<ReturnType<Classifier['classify']>>) {
  if (result.status !== 'failed') throw new Error('classified');
  return result;
}
