import { readAnswer, type ClassificationAnswer } from './answer';
import type { BreakerPass } from './circuit-breaker';
import type { EndpointOutcome } from './classifier-endpoint';
import type { ClassificationFailure, ClassifierRequestOutcome } from './classifier-signals';
import { CLASSIFIER_LIMITS } from './limits';

/** Why one request, or the wish to send it, brought nothing. */
export interface FailedAttempt<Reason extends ClassificationFailure = ClassificationFailure> {
  readonly reason: Reason;
  readonly retryAfterMs?: number;
  /** The same question in another form may be taken. */
  readonly isBadRequest?: boolean;
}

export type Attempt<Reason extends ClassificationFailure = ClassificationFailure> =
  { readonly answer: ClassificationAnswer } | FailedAttempt<Reason>;

/** What an outcome of the endpoint comes to, once the taxonomy has judged the text. */
export function readAttempt(outcome: EndpointOutcome): Attempt<Exclude<ClassifierRequestOutcome, 'answered'>> {
  if (outcome.kind === 'failed') return outcome;
  if (outcome.answer.kind === 'refused') return { reason: 'refused' };
  const answer = outcome.answer.kind === 'text' ? readAnswer(outcome.answer.text) : undefined;
  return answer === undefined ? { reason: 'invalid_answer' } : { answer };
}

/**
 * Whether the endpoint is well. What an agent's text may bring about (a strange answer, a refusal, a request that is not taken)
 * is no sign against it, or one agent could stop the classification of all.
 */
export function tellBreaker(pass: BreakerPass, outcome: EndpointOutcome): void {
  if (outcome.kind === 'answered' || outcome.isBadRequest === true || outcome.reason === 'invalid_answer') {
    pass.succeeded();
  } else if (outcome.reason === 'aborted') {
    pass.abandoned();
  } else {
    const askedMs = outcome.retryAfterMs ?? 0;
    pass.failed(askedMs > CLASSIFIER_LIMITS.maxRetryDelayMs ? askedMs : undefined);
  }
}
