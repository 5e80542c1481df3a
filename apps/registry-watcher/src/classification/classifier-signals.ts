import type { BreakerState } from './circuit-breaker';

/** Why an agent was not classified. */
export type ClassificationFailure =
  /** The requests of this hour are spent. */
  | 'budget_spent'
  /** The owner's agents had their share of this hour. */
  | 'share_spent'
  /** Too many classifications at once here. */
  | 'busy'
  /** The endpoint failed too often and is left alone for a while. */
  | 'circuit_open'
  /** The endpoint asked for a pause. */
  | 'rate_limited'
  | 'timeout'
  | 'unreachable'
  /** The endpoint failed: a status from 500 on. */
  | 'endpoint_error'
  /** The endpoint does not take the request: key, model or address are wrong, or it does not take the text. */
  | 'rejected'
  /** The model does not want to answer. */
  | 'refused'
  /** The answer is too large, no JSON, or names no skill of the taxonomy. */
  | 'invalid_answer'
  /** The caller's signal ended it. */
  | 'aborted';

/** How one request to the endpoint ended. */
export type ClassifierRequestOutcome =
  'answered' | Exclude<ClassificationFailure, 'budget_spent' | 'share_spent' | 'busy' | 'circuit_open'>;

/** What classification tells operators. */
export interface ClassifierSignals {
  /** One request to the endpoint ended. */
  requested(outcome: ClassifierRequestOutcome, durationMs: number): void;
  /** One classification ended. */
  classified(outcome: 'classified' | ClassificationFailure): void;
  breaker(state: BreakerState): void;
  /** Slugs of an answer that the taxonomy does not have. */
  droppedSlugs(count: number): void;
}

export const NO_CLASSIFIER_SIGNALS: ClassifierSignals = {
  requested: () => undefined,
  classified: () => undefined,
  breaker: () => undefined,
  droppedSlugs: () => undefined,
};
