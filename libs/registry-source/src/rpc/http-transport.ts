import { RpcFailure } from './rpc-failure';

export interface HttpTransportOptions {
  readonly url: string;
  readonly requestTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly fetch: typeof fetch;
}

/** Longest time that an endpoint may ask us to stay away. */
const MAX_RETRY_AFTER_MS = 120_000;

/** An answer of so many bytes that does not end in time is too large, not lost. */
const LARGE_ANSWER_BYTES = 1024 * 1024;

/** Answers with these are errors of the endpoint, whatever their body says. */
const UNAVAILABLE_FROM = 500;
const RATE_LIMITED = 429;
const TOO_LARGE = 413;

/** A JSON-RPC endpoint behind HTTP: one POST, one answer, bounded in time and size. */
export class HttpTransport {
  private readonly url: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(private readonly options: HttpTransportOptions) {
    const url = new URL(options.url);
    const { username, password } = url;
    // fetch refuses URLs with a user; their secrets belong into a header.
    url.username = '';
    url.password = '';
    this.url = url.href;
    const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(username === '' && password === ''
        ? {}
        : { authorization: `Basic ${Buffer.from(secret, 'utf8').toString('base64')}` }),
    };
  }

  /** The parsed body of the answer. @throws RpcFailure */
  async post(body: string, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) throw new RpcFailure('aborted', 'the request was given up');
    const ended = new AbortController();
    const end = (): void => ended.abort();
    let timedOut = false;
    const timeout = setTimeout(() => {
      timedOut = true;
      end();
    }, this.options.requestTimeoutMs);
    signal.addEventListener('abort', end, { once: true });
    const received = { bytes: 0 };
    try {
      const response = await this.options.fetch(this.url, {
        method: 'POST',
        headers: this.headers,
        body,
        redirect: 'error',
        signal: ended.signal,
      });
      const text = await this.textOf(response, received);
      return parse(response, text);
    } catch (error) {
      if (error instanceof RpcFailure) throw error;
      if (signal.aborted) throw new RpcFailure('aborted', 'the request was given up', { cause: error });
      if (timedOut) {
        const kind = received.bytes >= LARGE_ANSWER_BYTES ? 'too_large' : 'timeout';
        throw new RpcFailure(kind, `no whole answer within ${this.options.requestTimeoutMs} ms`, { cause: error });
      }
      throw new RpcFailure('unavailable', `no answer: ${causeOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timeout);
      signal.removeEventListener('abort', end);
    }
  }

  private async textOf(response: Response, received: { bytes: number }): Promise<string> {
    if (response.body === null) return '';
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      received.bytes += chunk.byteLength;
      // Leaving the loop ends the connection.
      if (received.bytes > this.options.maxResponseBytes) {
        throw new RpcFailure('too_large', `an answer of more than ${this.options.maxResponseBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function parse(response: Response, text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (response.ok) throw new RpcFailure('invalid', 'the answer is no JSON', { cause: error });
    throw ofStatus(response);
  }
  // Many providers say in the body what is wrong, with any status.
  if (response.ok || (isRpcError(parsed) && response.status !== RATE_LIMITED)) return parsed;
  throw ofStatus(response);
}

function isRpcError(parsed: unknown): boolean {
  return typeof parsed === 'object' && parsed !== null && 'error' in parsed && typeof parsed.error === 'object';
}

function ofStatus(response: Response): RpcFailure {
  const message = `HTTP status ${response.status}`;
  if (response.status === RATE_LIMITED) {
    return new RpcFailure('rate_limited', message, { retryAfterMs: retryAfterOf(response.headers.get('retry-after')) });
  }
  if (response.status === TOO_LARGE) return new RpcFailure('limit', message);
  return new RpcFailure(response.status >= UNAVAILABLE_FROM ? 'unavailable' : 'refused', message);
}

function retryAfterOf(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
}

/** Why fetch failed, without the URL. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'the connection failed';
}
