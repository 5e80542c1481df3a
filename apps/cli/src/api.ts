import { CliError, describeError } from './errors';
import { printable } from './printable';

export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** `X-API-Key`. */
  readonly key?: string | undefined;
  /** `Authorization: Bearer`. */
  readonly bearer?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Longest time for one call, from the first byte to the last. */
const CALL_TIMEOUT_MS = 30_000;

/** Most bytes of an answer: far more than a page of parked records. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What is shown of an answer that nobody expected. */
const MAX_SHOWN_CHARS = 300;

/** The address of a call. */
export function urlOf(baseUrl: string, { path, query = {} }: Pick<ApiCall, 'path' | 'query'>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return `${baseUrl}${path}${text === '' ? '' : `?${text}`}`;
}

/** Calls the server. @throws CliError with the server's own words, or why there is no answer. */
export async function callApi(baseUrl: string, call: ApiCall): Promise<ApiAnswer> {
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const response = await request(baseUrl, {
    ...call,
    signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
  });
  const { text, isWhole } = await readText(response, MAX_ANSWER_BYTES).catch((error: unknown) => {
    throw new CliError(`${baseUrl} broke off its answer: ${describeError(error)}`);
  });
  if (!isWhole) throw new CliError(`${baseUrl} answered more than ${MAX_ANSWER_BYTES} bytes`);
  const body = parseObject(text);
  if (!response.ok) throw new CliError(describeRefusal(response.status, text, body));
  if (!body) throw new CliError(`${baseUrl} answered something that is no JSON object; is it Sluice?`);
  return { status: response.status, body };
}

/** Sends a request. @throws CliError when there is no answer. */
export async function request(baseUrl: string, call: ApiCall): Promise<Response> {
  const { method = 'GET', key, bearer, json, signal } = call;
  const headers = headersOf({
    ...call.headers,
    ...(key === undefined ? {} : { 'X-API-Key': key }),
    ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
    ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
  });
  try {
    return await fetch(urlOf(baseUrl, call), {
      method,
      headers,
      redirect: 'error',
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    throw new CliError(`${baseUrl} does not answer: ${describeError(error)}`);
  }
}

function headersOf(values: Record<string, string>): Headers {
  try {
    return new Headers(values);
  } catch {
    // The message of the original error repeats the value, which may be a credential.
    throw new CliError('A key or token has characters that no HTTP header can carry');
  }
}

/** A refusal in one line, in the words of the server where it has some. */
export function describeRefusal(status: number, text: string, body = parseObject(text)): string {
  const { error, code, where } = body ?? {};
  if (typeof error !== 'string') return `The server answered ${status}: ${printable(text.slice(0, MAX_SHOWN_CHARS))}`;
  const place = typeof where === 'string' && !error.startsWith(where) ? ` at ${where}` : '';
  return printable(`${error}${place} (${status}${typeof code === 'string' ? ` ${code}` : ''})`);
}

/** The text of an answer, up to so many bytes. */
export async function readText(
  { body }: Response,
  maxBytes: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // Leaving the loop early closes the connection.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return { text, isWhole: false };
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), isWhole: true };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
