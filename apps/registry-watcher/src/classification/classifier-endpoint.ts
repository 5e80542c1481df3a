import { retryAfterMs } from '../reachability/retry-after';
import { API_FORMS, requestHeaders, type ApiForm, type ModelAnswer } from './api-forms';
import { endpointUrl, type ClassifierConfig } from './classifier-config';
import type { ClassifierRequestOutcome } from './classifier-signals';
import { CLASSIFIER_LIMITS } from './limits';
import type { ClassificationPrompt } from './prompt';

/** What came of one request. */
export type EndpointOutcome =
  | { readonly kind: 'answered'; readonly answer: ModelAnswer }
  | {
      readonly kind: 'failed';
      readonly reason: Exclude<ClassifierRequestOutcome, 'answered' | 'refused'>;
      /** What the endpoint asked for. */
      readonly retryAfterMs?: number;
      /** The request has a parameter, or a text, that the endpoint does not take. */
      readonly isBadRequest?: boolean;
    };

type Failure = Extract<EndpointOutcome, { kind: 'failed' }>;

/** Statuses that say that this body is not taken, not that nothing would be. */
const BAD_REQUEST_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

/** The operator's endpoint, one bounded request at a time; follows no redirect, so that no other host is asked. */
export class ClassifierEndpoint {
  private readonly url: string;
  private readonly form: ApiForm;

  /** @throws SluiceError `configuration` when the URL is none. */
  constructor(private readonly config: ClassifierConfig) {
    this.url = endpointUrl(config);
    this.form = API_FORMS[config.api];
  }

  /** How many ways there are to ask the same. */
  get variants(): number {
    return this.form.bodies.length;
  }

  /** Asks once. Never rejects. */
  async ask(prompt: ClassificationPrompt, variant: number, signal: AbortSignal): Promise<EndpointOutcome> {
    const timeout = AbortSignal.timeout(this.config.timeoutMs ?? CLASSIFIER_LIMITS.timeoutMs);
    try {
      const body = this.form.bodies[variant]?.(prompt, this.config.model);
      const response = await fetch(this.url, {
        method: 'POST',
        headers: requestHeaders(this.form, this.config),
        body: JSON.stringify(body),
        signal: AbortSignal.any([signal, timeout]),
        redirect: 'error',
      });
      if (response.ok) return readOutcome(this.form, await readText(response));
      const failure = failureOf(response);
      await response.body?.cancel();
      return failure;
    } catch {
      // Neither the cause nor the body is told: either may repeat the key.
      return { kind: 'failed', reason: signal.aborted ? 'aborted' : timeout.aborted ? 'timeout' : 'unreachable' };
    }
  }
}

function readOutcome(form: ApiForm, text: string | undefined): EndpointOutcome {
  const answer = form.read(text === undefined ? undefined : parseJson(text));
  return answer.kind === 'invalid' ? { kind: 'failed', reason: 'invalid_answer' } : { kind: 'answered', answer };
}

function failureOf({ status, headers }: Response): Failure {
  const waitMs = retryAfterMs(headers.get('retry-after'), CLASSIFIER_LIMITS.maxRetryAfterMs);
  const asked = waitMs === undefined ? {} : { retryAfterMs: waitMs };
  if (status === 429) return { kind: 'failed', reason: 'rate_limited', ...asked };
  if (status === 408) return { kind: 'failed', reason: 'timeout', ...asked };
  if (status >= 500) return { kind: 'failed', reason: 'endpoint_error', ...asked };
  return { kind: 'failed', reason: 'rejected', isBadRequest: BAD_REQUEST_STATUSES.has(status) };
}

/** Undefined where it is too large; what is left of it is not read. */
async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > CLASSIFIER_LIMITS.maxAnswerBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
