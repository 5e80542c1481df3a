import {
  MAX_ANSWER_BYTES,
  MAX_SAID_LENGTH,
  ModelFailed,
  modelErrorSchema,
  parseJson,
  readAnswer,
  tooLong,
  type AnswerListener,
  type ModelAnswer,
} from './model-answer';
import { StreamedAnswer } from './streamed-answer';

export interface ModelEndpointOptions {
  /** The base URL; `/v1/messages` is put behind it. */
  readonly url: string;
  readonly key: string | undefined;
  readonly timeoutMs: number;
}

/** What the model is asked, in the form of the Messages API. */
export type ModelRequest = Readonly<Record<string, unknown>>;

/** An endpoint that speaks the Messages API. */
export class ModelEndpoint {
  private readonly url: string;

  /** @param onFailed told of each request that failed */
  constructor(
    private readonly options: ModelEndpointOptions,
    private readonly onFailed: (failure: ModelFailed) => void = () => undefined,
  ) {
    this.url = `${options.url.replace(/\/+$/, '')}/v1/messages`;
  }

  /**
   * Asks for a stream, and takes an answer that comes whole as well.
   *
   * @throws ModelFailed; the reason of the signal when it is aborted
   */
  async ask(request: ModelRequest, signal: AbortSignal, listener: AnswerListener): Promise<ModelAnswer> {
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
        body: JSON.stringify({ ...request, stream: true }),
        signal: bounded,
      });
      if (response.ok && isStream(response)) return await readStream(response, listener);
      const text = await readText(response);
      if (!response.ok) throw failureOf(response, text);
      return readAnswer(parseJson(text));
    } catch (error) {
      signal.throwIfAborted();
      const failure = error instanceof ModelFailed ? error : unreached(bounded.aborted);
      this.onFailed(failure);
      throw failure;
    }
  }
}

function unreached(isLate: boolean): ModelFailed {
  const message = isLate ? 'The model did not answer in time' : 'The model could not be reached';
  return new ModelFailed('model_request_failed_error', message, true);
}

function isStream({ headers }: Response): boolean {
  return /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
}

async function readStream({ body }: Response, listener: AnswerListener): Promise<ModelAnswer> {
  const answer = new StreamedAnswer(listener);
  // Leaving the loop lets go of the connection.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) if (answer.take(chunk)) break;
  return answer.end();
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  if (response.body === null) return '';
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What they say is about the key and the account of this server. */
const OF_THE_ACCOUNT: readonly number[] = [401, 402, 403];

const PASSING_STATUSES: readonly number[] = [408, 409];

function failureOf({ status, headers }: Response, text: string): ModelFailed {
  const { error } = modelErrorSchema.safeParse(parseJson(text)).data ?? {};
  const said = error?.message.slice(0, MAX_SAID_LENGTH);
  const isForCaller = said !== undefined && status < 500 && !OF_THE_ACCOUNT.includes(status);
  const message = `The model answered with status ${status}${isForCaller ? `: ${said}` : ''}`;
  const retryAfterMs = readRetryAfterMs(headers);
  if (status === 402 || error?.type === 'billing_error') {
    return new ModelFailed('billing_error', `The model answered with status ${status}`, false, undefined, said);
  }
  if (status === 429) return new ModelFailed('model_rate_limited_error', message, true, retryAfterMs, said);
  if (status === 529) return new ModelFailed('model_overloaded_error', message, true, retryAfterMs, said);
  const isPassing = status >= 500 || PASSING_STATUSES.includes(status);
  return new ModelFailed('model_request_failed_error', message, isPassing, retryAfterMs, said);
}

function readRetryAfterMs(headers: Headers): number | undefined {
  const seconds = headers.get('retry-after');
  const isNumber = seconds !== null && /^\d{1,6}$/.test(seconds);
  return isNumber ? Number(seconds) * 1_000 : undefined;
}
