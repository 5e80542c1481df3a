import type { ClassificationRequest, ClassificationResult } from '@sluice/agent-registry';
import { pause } from '../pause';
import { readAttempt, tellBreaker, type Attempt } from './attempt';
import { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker';
import type { ClassifierConfig } from './classifier-config';
import { ClassifierEndpoint } from './classifier-endpoint';
import { NO_CLASSIFIER_SIGNALS, type ClassificationFailure, type ClassifierSignals } from './classifier-signals';
import { HourlyBudget } from './hourly-budget';
import { CLASSIFIER_LIMITS } from './limits';
import { OwnerShares } from './owner-shares';
import { promptFor, type ClassificationPrompt } from './prompt';

/** Says what an agent can do, in words of the taxonomy. */
export interface Classifier {
  /** Never rejects; ends within a few timeouts. An abort of the signal is a failure to be tried again at once. */
  classify(request: ClassificationRequest, signal: AbortSignal): Promise<ClassificationResult>;
  /** Milliseconds until the budget and the endpoint would allow a request; 0: now. Ask before taking work. */
  waitMs(): number;
}

export interface ClassifierOptions {
  readonly config: ClassifierConfig;
  readonly signals?: ClassifierSignals;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
  readonly retryDelayMs?: number;
  readonly breaker?: CircuitBreakerOptions['limits'];
}

/** When to ask again about an agent, where nothing else tells. */
const RETRY_AFTER_MS: Readonly<Record<ClassificationFailure, number>> = {
  aborted: 0,
  busy: 30_000,
  budget_spent: 60_000,
  share_spent: 1_800_000,
  circuit_open: 60_000,
  rate_limited: 60_000,
  timeout: 300_000,
  unreachable: 300_000,
  endpoint_error: 300_000,
  rejected: 3_600_000,
  invalid_answer: 21_600_000,
  refused: 86_400_000,
};

/** Up to this long more, so that the agents of one owner do not come back all at once. */
const SHARE_SPREAD_MS = 1_800_000;

/** Failures that another request may mend at once, with how many requests are worth it. */
const ATTEMPTS: Readonly<Partial<Record<ClassificationFailure, number>>> = {
  rate_limited: CLASSIFIER_LIMITS.attempts,
  timeout: CLASSIFIER_LIMITS.attempts,
  unreachable: CLASSIFIER_LIMITS.attempts,
  endpoint_error: CLASSIFIER_LIMITS.attempts,
  invalid_answer: 2,
};

/**
 * The classifier of a configuration; undefined without one, and then nothing is classified.
 * @throws SluiceError `configuration` when its URL is none.
 */
export function createClassifier(options: Partial<ClassifierOptions>): Classifier | undefined {
  return options.config === undefined ? undefined : new EndpointClassifier({ ...options, config: options.config });
}

class EndpointClassifier implements Classifier {
  private readonly endpoint: ClassifierEndpoint;
  private readonly breaker: CircuitBreaker;
  private readonly budget: HourlyBudget;
  private readonly shares: OwnerShares;
  private readonly model: string;
  private readonly signals: ClassifierSignals;
  private readonly nowMs: () => number;
  private readonly retryDelayMs: number;
  private running = 0;
  /** The form of body that the endpoint took last. */
  private variant = 0;

  constructor({
    config,
    signals = NO_CLASSIFIER_SIGNALS,
    nowMs = () => performance.now(),
    ...rest
  }: ClassifierOptions) {
    this.endpoint = new ClassifierEndpoint(config);
    this.breaker = new CircuitBreaker({ nowMs, onState: (state) => signals.breaker(state), limits: rest.breaker });
    this.budget = new HourlyBudget(config.budgetPerHour, nowMs);
    this.shares = new OwnerShares(config.budgetPerHour, nowMs);
    this.model = config.model;
    this.signals = signals;
    this.nowMs = nowMs;
    this.retryDelayMs = rest.retryDelayMs ?? CLASSIFIER_LIMITS.retryDelayMs;
  }

  waitMs(): number {
    return Math.max(this.budget.waitMs(), this.breaker.waitMs());
  }

  async classify(request: ClassificationRequest, signal: AbortSignal): Promise<ClassificationResult> {
    const outcome = await this.outcomeFor(request, signal);
    const { inputHash } = request;
    if ('reason' in outcome) {
      const { reason } = outcome;
      this.signals.classified(reason);
      const retryAfterMs = Math.max(outcome.retryAfterMs ?? 0, RETRY_AFTER_MS[reason]);
      return { status: 'failed', inputHash, retryAfterMs, reason };
    }
    const { skills, domains, confidence, dropped } = outcome.answer;
    this.signals.classified('classified');
    if (dropped > 0) this.signals.droppedSlugs(dropped);
    return { status: 'classified', inputHash, skills, domains, confidence, model: this.model };
  }

  private async outcomeFor(request: ClassificationRequest, signal: AbortSignal): Promise<Attempt> {
    if (this.shares.isSpent(request.owner)) {
      return { reason: 'share_spent', retryAfterMs: RETRY_AFTER_MS.share_spent + Math.random() * SHARE_SPREAD_MS };
    }
    if (this.running >= CLASSIFIER_LIMITS.concurrency) return { reason: 'busy' };
    this.running++;
    try {
      return await this.askPersistently(request, signal);
    } finally {
      this.running--;
    }
  }

  private async askPersistently(request: ClassificationRequest, signal: AbortSignal): Promise<Attempt> {
    const prompt = promptFor(request);
    const spend = () => {
      this.budget.spend();
      this.shares.spend(request.owner);
    };
    let variantsLeft = this.endpoint.variants - 1;
    let variant = this.variant;
    for (let attempts = 1; ;) {
      const attempt = await this.attempt(prompt, variant, spend, signal);
      if ('answer' in attempt) {
        this.variant = variant;
        return attempt;
      }
      if (attempt.isBadRequest === true && variantsLeft > 0) {
        variantsLeft--;
        variant = (variant + 1) % this.endpoint.variants;
        continue;
      }
      const delayMs = Math.max(attempt.retryAfterMs ?? 0, this.delayAfter(attempts));
      const isWorthMore = attempts < (ATTEMPTS[attempt.reason] ?? 1);
      if (!isWorthMore || delayMs > CLASSIFIER_LIMITS.maxRetryDelayMs) return attempt;
      await pause(delayMs, signal);
      attempts++;
    }
  }

  /** Doubled each time; the random half keeps processes apart that failed together. */
  private delayAfter(attempts: number): number {
    const delayMs = this.retryDelayMs * 2 ** (attempts - 1);
    return delayMs / 2 + (Math.random() * delayMs) / 2;
  }

  private async attempt(
    prompt: ClassificationPrompt,
    variant: number,
    spend: () => void,
    signal: AbortSignal,
  ): Promise<Attempt> {
    if (signal.aborted) return { reason: 'aborted' };
    const budgetWaitMs = this.budget.waitMs();
    if (budgetWaitMs > 0) return { reason: 'budget_spent', retryAfterMs: budgetWaitMs };
    const entry = this.breaker.enter();
    if (!entry.isAllowed) return { reason: 'circuit_open', retryAfterMs: entry.retryAfterMs };
    spend();
    const sentAtMs = this.nowMs();
    const outcome = await this.endpoint.ask(prompt, variant, signal);
    tellBreaker(entry.pass, outcome);
    const attempt = readAttempt(outcome);
    this.signals.requested('answer' in attempt ? 'answered' : attempt.reason, this.nowMs() - sentAtMs);
    return attempt;
  }
}
