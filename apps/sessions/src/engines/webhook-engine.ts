import { setTimeout as pause } from 'node:timers/promises';
import { SafeFetchError, type SafeFetch, type SafeFetchErrorCode } from '@sluice/safe-fetch';
import { signWebhook } from '@sluice/signed-webhooks';
import type { Clock } from '../clock';
import { EngineFailed, type Engine, type EngineTask } from './engine';
import type { RegisteredEngine, RegisteredEngines } from './registered-engines';

export interface WebhookEngineOptions {
  /** How long the engine has to answer one try. */
  readonly answerTimeoutMs: number;
  /** Before each try but the first: so many tries there are. */
  readonly retryDelaysMs: readonly number[];
  /** For all tries together. */
  readonly deadlineMs: number;
}

const DEFAULT_OPTIONS: WebhookEngineOptions = {
  answerTimeoutMs: 10_000,
  retryDelaysMs: [500, 1_000, 2_000, 4_000],
  deadlineMs: 30_000,
};

/** Of what an engine answers only the status counts: its body is not read, however long it says that it is. */
const MAX_ANNOUNCED_BYTES = 1_073_741_824;

const RETRIED_STATUSES: readonly number[] = [408, 429];

/** The url itself is wrong, and will be the next time. */
const LASTING_FAULTS: readonly SafeFetchErrorCode[] = ['invalid_url', 'refused_address', 'too_many_redirects'];

/** Engines that somebody else runs: they are told by signed requests, and report by signed requests. */
export class WebhookEngine implements Engine {
  private readonly options: WebhookEngineOptions;

  constructor(
    private readonly engines: Pick<RegisteredEngines, 'find'>,
    private readonly fetch: Pick<SafeFetch, 'open'>,
    private readonly clock: Clock,
    options: Partial<WebhookEngineOptions> = {},
  ) {
    this.options = { ...DEFAULT_OPTIONS, ...options };
  }

  async handle(task: EngineTask): Promise<void> {
    const engine = await this.engines.find(task.workspaceId, task.engine);
    if (!engine) throw new EngineFailed(`The engine ${task.engine} is not registered`);
    const { retryDelaysMs, deadlineMs } = this.options;
    const endMs = performance.now() + deadlineMs;
    const body = JSON.stringify(task.call);
    let fault = '';
    for (const delayMs of [0, ...retryDelaysMs]) {
      if (performance.now() + delayMs >= endMs) break;
      if (delayMs > 0) await pause(delayMs, undefined, { signal: task.signal });
      const attempt = await this.attempt(engine, task, body, endMs - performance.now());
      if (attempt === undefined) return;
      fault = attempt;
    }
    throw new EngineFailed(`The engine could not be told: ${fault}`);
  }

  /** Undefined when the engine has taken it; else why it should be tried again. @throws EngineFailed when it should not */
  private async attempt(
    { url, secret }: RegisteredEngine,
    { deliveryId, signal }: EngineTask,
    body: string,
    leftMs: number,
  ): Promise<string | undefined> {
    try {
      const headers = signWebhook({ secret, id: deliveryId, timestampMs: this.clock.now(), body });
      const timeoutMs = Math.max(1, Math.min(this.options.answerTimeoutMs, leftMs));
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
