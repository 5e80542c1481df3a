/** What every classification is bounded by. */
export const CLASSIFIER_LIMITS = {
  /** Requests for one classification, the first included. */
  attempts: 3,
  /** The wait before the second request; doubled each time, and at least half of it at random. */
  retryDelayMs: 500,
  /** Longest wait within one classification; where the endpoint asks for more, the classification has failed for now. */
  maxRetryDelayMs: 10_000,
  /** From the request to the last byte of the answer. */
  timeoutMs: 30_000,
  /** Bytes of one answer of the endpoint. */
  maxAnswerBytes: 262_144,
  /** Tokens that the model may write. */
  maxTokens: 1_024,
  /** Classifications at a time; more of them are `busy`. */
  concurrency: 4,
  /** Longest wait that the endpoint's `Retry-After` is believed. */
  maxRetryAfterMs: 3_600_000,
} as const;

/** When the breaker opens, and for how long. */
export const BREAKER_LIMITS = {
  /** Requests in a row without an answer after which none is sent for a while. */
  failuresToOpen: 5,
  /** The first pause; doubled after each trial that fails. */
  openMs: 30_000,
  maxOpenMs: 900_000,
} as const;

/** What an answer may hold. */
export const ANSWER_LIMITS = {
  skills: 5,
  domains: 3,
  /** Items of one list that are looked at; an answer with more of them is not valid. */
  items: 50,
  slugLength: 200,
} as const;
