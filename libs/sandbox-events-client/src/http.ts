import { backoffCeilingMs, fullJitterMs, retryAfterMs } from './backoff';
import { MAX_ERROR_BODY_BYTES, MAX_RESPONSE_BYTES, MAX_RETRY_DELAY_MS } from './constants';
import { EventsAuthError, EventsError, EventsNetworkError, isError, toError } from './errors';

/** One HTTP call. It has to be safe to repeat: a read, or a write with an idempotency key. */
export interface HttpCall {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
  retries: number;
  retryDelayMs: number;
}

/** The `data` of a success, with the status it came with. */
export interface HttpSuccess {
  data: Record<string, unknown>;
  status: number;
}

type Outcome =
  | { ok: true; success: HttpSuccess }
  | { ok: false; error: EventsError; retry: boolean; retryAfterMs?: number | undefined };

/**
 * Makes the call, with retries on network failures, 429 and 5xx, and gives the `data` of its envelope.
 *
 * @throws EventsAuthError on 401, EventsNetworkError when no whole answer came in time, EventsError otherwise
 */
export async function callServer(call: HttpCall): Promise<HttpSuccess> {
  const deadlineMs = performance.now() + call.timeoutMs;
  const headers = checkedHeaders(call);
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(call, headers, deadlineMs);
    if (outcome.ok) return outcome.success;
    if (!outcome.retry || attempt >= call.retries) throw outcome.error;
    const backoffMs = fullJitterMs(backoffCeilingMs(attempt, call.retryDelayMs, MAX_RETRY_DELAY_MS));
    const delayMs = Math.max(backoffMs, outcome.retryAfterMs ?? 0);
    if (performance.now() + delayMs >= deadlineMs) throw outcome.error;
    await new Promise((resolve) => {
      setTimeout(resolve, delayMs);
    });
  }
}

function checkedHeaders(call: HttpCall): Headers {
  try {
    new URL(call.url);
  } catch {
    throw new EventsError('gatewayUrl is not a URL');
  }
  try {
    return new Headers(call.headers);
  } catch {
    // The message of the original error repeats the value, which may be a credential.
    throw new EventsError('A credential or key has characters that no HTTP header can carry');
  }
}

async function attemptOnce(call: HttpCall, headers: Headers, deadlineMs: number): Promise<Outcome> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), Math.max(0, deadlineMs - performance.now()));
  try {
    const response = await fetch(call.url, {
      method: call.method,
      headers,
      body: call.body ?? null,
      signal: controller.signal,
    });
    // The body is read under the same timer: a server that stalls in the middle of it is a time-out as well.
    return response.ok ? await successOf(response) : await failureOf(response);
  } catch (error) {
    if (error instanceof EventsError) return { ok: false, error, retry: false };
    const cause = toError(error);
    if (controller.signal.aborted) {
      const message = `Request timed out after ${call.timeoutMs}ms`;
      return { ok: false, error: new EventsNetworkError(message, cause), retry: false };
    }
    return { ok: false, error: new EventsNetworkError(`Network error: ${describe(cause)}`, cause), retry: true };
  } finally {
    clearTimeout(timer);
  }
}

async function successOf(response: Response): Promise<Outcome> {
  const body = await readText(response, MAX_RESPONSE_BYTES);
  if (body.truncated) throw new EventsError('Response from server is too large', response.status);
  const envelope = parseObject(body.text);
  const data = envelope?.['data'];
  if (!envelope?.['success'] || !isObject(data)) throw invalidResponse(response.status);
  return { ok: true, success: { data, status: response.status } };
}

async function failureOf(response: Response): Promise<Outcome> {
  const { text } = await readText(response, MAX_ERROR_BODY_BYTES);
  const { status } = response;
  if (status === 401) {
    return { ok: false, error: new EventsAuthError(text || 'Authentication required', text), retry: false };
  }
  return {
    ok: false,
    error: new EventsError(text || `Request failed with status ${status}`, status, text),
    retry: status === 429 || status >= 500,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
  };
}

/** The error for a success that is not of the agreed form. */
export function invalidResponse(status: number): EventsError {
  return new EventsError('Invalid response from server', status);
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object in a text; undefined when there is none. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function readText(response: Response, maxBytes: number): Promise<{ text: string; truncated: boolean }> {
  if (response.body === null) return { text: '', truncated: false };
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the rest of the body.
  const body: AsyncIterable<Uint8Array> = response.body;
  for await (const chunk of body) {
    if (bytes + chunk.byteLength > maxBytes) {
      parts.push(decoder.decode(chunk.subarray(0, maxBytes - bytes)));
      return { text: parts.join(''), truncated: true };
    }
    bytes += chunk.byteLength;
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return { text: parts.join(''), truncated: false };
}

function describe(error: Error): string {
  return isError(error.cause) && error.cause.message ? `${error.message} (${error.cause.message})` : error.message;
}
