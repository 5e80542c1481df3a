import { SafeFetchError, type SafeFetch, type SafeFetchErrorCode } from '@sluice/safe-fetch';
import { signWebhook } from '@sluice/signed-webhooks';
import type { Clock } from '../clock';
import { EngineFailed, EngineUnreached, type Engine, type EngineBounds, type EngineTask } from './engine';
import type { RegisteredEngines, SigningEngine } from './registered-engines';

/** How long the engine has to answer one try. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Before each try but the first: so many tries there are. */
const RETRY_DELAYS_MS: readonly number[] = [500, 1_000, 2_000, 4_000];

/** From the end of the first try to that of the last one: with the first one it is half a minute. */
const RETRY_FOR_MS = 20_000;

/** Whatever is left of that, a try has so long. */
const MIN_TIMEOUT_MS = 1_000;

/** Of what an engine answers only the status counts: its body is not read, however long it says that it is. */
const MAX_ANNOUNCED_BYTES = 1_073_741_824;

const RETRIED_STATUSES: readonly number[] = [408, 429];

/** The url itself is wrong, and will be the next time. */
const LASTING_FAULTS: readonly SafeFetchErrorCode[] = ['invalid_url', 'refused_address', 'too_many_redirects'];

/** Engines that somebody else runs: they are told by signed requests, and report by signed requests. */
export class WebhookEngine implements Engine {
  readonly bounds: EngineBounds = { ofEngine: 4, ofWorkspace: 12 };

  constructor(
    private readonly engines: Pick<RegisteredEngines, 'findSigning'>,
    private readonly fetch: Pick<SafeFetch, 'open'>,
    private readonly clock: Clock,
  ) {}

  /** Tries once: what failed gives its place to others until it is tried again. */
  async handle(task: EngineTask): Promise<void> {
    const { failures, failingForMs } = task;
    const engine = await this.engines.findSigning(task.workspaceId, task.engine);
    if (!engine) throw new EngineFailed(`The engine ${task.engine} is not registered`);
    const leftMs = RETRY_FOR_MS - failingForMs;
    // Nobody tried while the time went by.
    const timeoutMs = leftMs > 0 ? Math.min(ANSWER_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, leftMs)) : ANSWER_TIMEOUT_MS;
    const fault = await this.attempt(engine, task, timeoutMs);
    if (fault === undefined) return;
    const delayMs = RETRY_DELAYS_MS[failures];
    const message = `The engine could not be told: ${fault}`;
    if (delayMs === undefined || delayMs >= leftMs) throw new EngineFailed(message);
    throw new EngineUnreached(message, delayMs);
  }

  /** Undefined when the engine has taken it; else why it should be tried again. @throws EngineFailed when it should not */
  private async attempt(
    { url, secret }: SigningEngine,
    { deliveryId, call, signal }: EngineTask,
    timeoutMs: number,
  ): Promise<string | undefined> {
    try {
      const body = JSON.stringify(call);
      const headers = signWebhook({ secret, id: deliveryId, timestampMs: this.clock.now(), body });
      const answer = await this.fetch.open(
        url,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
          timeoutMs,
          idleTimeoutMs: timeoutMs,
          maxRedirects: 0,
          maxBytes: MAX_ANNOUNCED_BYTES,
        },
        signal,
      );
      answer.close();
      const { status } = answer;
      if (status >= 200 && status < 300) return undefined;
      const fault = `it answered with status ${status}`;
      if (status >= 500 || RETRIED_STATUSES.includes(status)) return fault;
      throw new EngineFailed(`The engine could not be told: ${fault}`);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SafeFetchError)) throw error;
      if (!LASTING_FAULTS.includes(error.code)) return error.message;
      const fault = error.code === 'too_many_redirects' ? 'redirects are not followed' : error.message;
      throw new EngineFailed(`The engine could not be told: ${fault}`, error);
    }
  }
}
