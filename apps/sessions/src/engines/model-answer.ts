import { z } from 'zod';

/** Longest answer, in bytes. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

const tokens = z.int().min(0).nullish();

const answerSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })),
  stop_reason: z.string().nullish(),
  usage: z
    .looseObject({
      input_tokens: tokens,
      output_tokens: tokens,
      cache_creation_input_tokens: tokens,
      cache_read_input_tokens: tokens,
    })
    .optional(),
});

export type ModelAnswer = z.output<typeof answerSchema>;

/** Hears of an answer while it comes; of one that comes whole, nothing. Must not throw. */
export interface AnswerListener {
  /** The model has begun to think. */
  onThinking(): void;
  /** More text, never empty, of the block of this number. */
  onText(block: number, text: string): void;
}

/** The `type` of a `session.error` that comes of a request to a model. */
export type ModelErrorType =
  | 'billing_error'
  | 'model_rate_limited_error'
  | 'model_overloaded_error'
  | 'model_request_failed_error'
  | 'unknown_error';

/** A request to a model that failed. */
export class ModelFailed extends Error {
  override readonly name = 'ModelFailed';
  constructor(
    readonly type: ModelErrorType,
    message: string,
    /** Whether it may succeed later. */
    readonly isPassing: boolean,
    /** What the endpoint wishes for. */
    readonly retryAfterMs?: number,
    /** The endpoint's own words: for the log, since they may be about the account of this server. */
    readonly said?: string,
  ) {
    super(message);
  }
}

export function tooLong(): ModelFailed {
  return new ModelFailed('unknown_error', 'The answer of the model is too long', false);
}

export function unreadable(): ModelFailed {
  return new ModelFailed('unknown_error', 'The answer of the model cannot be read', false);
}

/** @throws ModelFailed */
export function readAnswer(value: unknown): ModelAnswer {
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) throw unreadable();
  return parsed.data;
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an endpoint says of a failure. */
export const modelErrorSchema = z.looseObject({ error: z.looseObject({ type: z.string(), message: z.string() }) });

/** Of what an endpoint says so much is shown, in characters. */
export const MAX_SAID_LENGTH = 500;
