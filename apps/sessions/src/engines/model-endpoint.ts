import { z } from 'zod';

export interface ModelEndpointOptions {
  /** The base URL; `/v1/messages` is put behind it. */
  readonly url: string;
  readonly key: string | undefined;
  readonly timeoutMs: number;
}

/** What the model is asked, in the form of the Messages API. */
export type ModelRequest = Readonly<Record<string, unknown>>;

/** Longest answer, in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

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
  ) {
    super(message);
  }
}

/** An endpoint that speaks the Messages API. */
export class ModelEndpoint {
  private readonly url: string;

  constructor(private readonly options: ModelEndpointOptions) {
    this.url = `${options.url.replace(/\/+$/, '')}/v1/messages`;
  }

  /** @throws ModelFailed; the reason of the signal when it is aborted */
  async ask(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer> {
    const { key, timeoutMs } = this.options;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          'anthropic-version': '2023-06-01',
          ...(key !== undefined && { 'x-api-key': key }),
        },
        body: JSON.stringify(request),
        signal: bounded,
      });
      const text = await readText(response);
      if (!response.ok) throw failureOf(response, text);
      return parseAnswer(text);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ModelFailed) throw error;
      const message = bounded.aborted ? 'The model did not answer in time' : 'The model could not be reached';
      throw new ModelFailed('model_request_failed_error', message, true);
    }
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  if (response.body === null) return '';
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES)
      throw new ModelFailed('unknown_error', 'The answer of the model is too long', false);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(text: string): ModelAnswer {
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new ModelFailed('unknown_error', 'The answer of the model cannot be read', false);
  return parsed.data;
}

const errorSchema = z.looseObject({ error: z.looseObject({ type: z.string(), message: z.string() }) });

const PASSING_STATUSES: readonly number[] = [408, 409];
const MAX_MESSAGE_LENGTH = 500;

function failureOf({ status, headers }: Response, text: string): ModelFailed {
  const { error } = errorSchema.safeParse(parseJson(text)).data ?? {};
  const said = error === undefined ? '' : `: ${error.message.slice(0, MAX_MESSAGE_LENGTH)}`;
  const message = `The model answered with status ${status}${said}`;
  const retryAfterMs = readRetryAfterMs(headers);
  if (status === 402 || error?.type === 'billing_error') return new ModelFailed('billing_error', message, false);
  if (status === 429) return new ModelFailed('model_rate_limited_error', message, true, retryAfterMs);
  if (status === 529) return new ModelFailed('model_overloaded_error', message, true, retryAfterMs);
  const isPassing = status >= 500 || PASSING_STATUSES.includes(status);
  return new ModelFailed('model_request_failed_error', message, isPassing, retryAfterMs);
}

function readRetryAfterMs(headers: Headers): number | undefined {
  const seconds = headers.get('retry-after');
  const isNumber = seconds !== null && /^\d{1,6}$/.test(seconds);
  return isNumber ? Number(seconds) * 1_000 : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
