import { SafeFetchError, type SafeFetch } from '@sluice/safe-fetch';
import { newWebhookSecret } from '@sluice/signed-webhooks';
import { EngineFailed, EngineUnreached, type EngineTask } from './engine';
import { WebhookEngine } from './webhook-engine';

const SECRET = newWebhookSecret();

type Answer = number | SafeFetchError;

/** Tells an engine that answers so, and gives how often it was asked, how long it may have taken, and what came of it. */
async function tell(answer: Answer, past: Partial<Pick<EngineTask, 'failures' | 'failingForMs'>> = {}) {
  const timeouts: (number | undefined)[] = [];
  const fetch: Pick<SafeFetch, 'open'> = {
    open: (_url, request) => {
      timeouts.push(request?.timeoutMs);
      if (typeof answer !== 'number') return Promise.reject(answer);
      return Promise.resolve({ status: answer, close: () => undefined } as Awaited<ReturnType<SafeFetch['open']>>);
    },
  };
  const engine = { id: 'eng_1', name: 'e', url: 'https://engine.example', secret: SECRET, createdAtMs: 0 };
  const told = new WebhookEngine({ findSigning: () => Promise.resolve(engine) }, fetch, { now: () => Date.now() });
  const outcome = await told
    .handle({
      deliveryId: 'msg_1',
      workspaceId: 1,
      engine: 'eng_1',
      call: { type: 'run.start', session_id: 'sesn_1', run_id: 'srun_1', input_events: [], agent: {}, session: {} },
      failures: 0,
      failingForMs: 0,
      signal: new AbortController().signal,
      detach: () => undefined,
      report: () => Promise.resolve([]),
      ...past,
    })
    .catch((error: unknown) => error);
  return { outcome, timeouts };
}

const away = new SafeFetchError('unreachable', 'it could not be reached');

describe('WebhookEngine', () => {
  it('tries once, and says when it is to be tried again', async () => {
    for (const [failures, delayMs] of [500, 1_000, 2_000, 4_000].entries()) {
      const { outcome, timeouts } = await tell(503, { failures, failingForMs: failures });
      expect(outcome).toBeInstanceOf(EngineUnreached);
      expect(outcome).toMatchObject({ delayMs });
      expect(timeouts).toHaveLength(1);
    }
    expect((await tell(away)).outcome).toBeInstanceOf(EngineUnreached);
  });

  it('gives up after the fifth try', async () => {
    const { outcome } = await tell(503, { failures: 4, failingForMs: 8_000 });
    expect(outcome).toBeInstanceOf(EngineFailed);
    expect(outcome).toMatchObject({ shown: 'The engine could not be told: it answered with status 503' });
  });

  it('ends about 30 seconds after its first try began', async () => {
    const late = await tell(503, { failures: 2, failingForMs: 19_000 });
    expect(late.outcome).toBeInstanceOf(EngineFailed);
    expect(late.timeouts).toEqual([1_000]);
    expect((await tell(204, { failures: 2, failingForMs: 15_000 })).timeouts).toEqual([5_000]);
    expect((await tell(204)).timeouts).toEqual([10_000]);
  });

  it('is told once more however late it is, so that a process that was away loses no run', async () => {
    expect(await tell(204, { failures: 1, failingForMs: 3_600_000 })).toEqual({
      outcome: undefined,
      timeouts: [10_000],
    });
  });
});
