import { request as requestByHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import { SafeFetchError } from './errors';
import { reasonOf } from './deadline';
import type { Target } from './url-rules';

/** How long one of several addresses may take to connect before the next is tried. */
const CONNECT_ATTEMPT_MS = 2_000;

/** Error codes that are safe to publish: a label, no address. */
const PUBLISHABLE_CODE = /^[A-Z][A-Z0-9_]{0,60}$/;

export interface ExchangeOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly idleTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly trustedCertificates: string | undefined;
  /** Ends the exchange, with a SafeFetchError as its reason. */
  readonly signal: AbortSignal;
}

/** One request and its answer, over a connection of its own to one of the given addresses and to no other. */
export class Exchange {
  private failure: SafeFetchError | undefined;
  private response: IncomingMessage | undefined;

  private constructor(
    private readonly request: ClientRequest,
    private readonly options: ExchangeOptions,
  ) {
    this.options.signal.addEventListener('abort', this.onAbort);
    // Whoever is waiting learns of errors by `answer` and `chunks`; an error that comes after them is of no interest.
    this.request.on('error', () => undefined);
    this.request.setTimeout(options.idleTimeoutMs, () => {
      this.fail(new SafeFetchError('timeout', `Nothing came for ${options.idleTimeoutMs} ms`));
    });
  }

  /**
   * Sends the request.
   * @throws SafeFetchError where it cannot be written at all.
   */
  static start(target: Target, addresses: readonly string[], options: ExchangeOptions): Exchange {
    try {
      const send = target.url.protocol === 'https:' ? requestByHttps : requestByHttp;
      const request = send(requestOptions(target, addresses, options));
      const exchange = new Exchange(request, options);
      request.end(options.body);
      return exchange;
    } catch (error) {
      throw new SafeFetchError('unreachable', 'The request cannot be sent', { cause: error });
    }
  }

  /** The head of the answer. @throws SafeFetchError */
  async answer(): Promise<IncomingMessage> {
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        this.request.once('error', reject);
        this.request.once('close', () => reject(new Error('The connection was closed')));
        this.request.once('response', (response) => {
          this.response = response;
          response.on('error', () => undefined);
          resolve(response);
        });
        if (this.options.signal.aborted) {
          this.onAbort();
        }
      });
    } catch (error) {
      const failure = this.failureOf(error);
      this.close();
      throw failure;
    }
  }

  /** The error to report for one that the request or the body ended with. */
  failureOf(error: unknown): SafeFetchError {
    return this.failure ?? (error instanceof SafeFetchError ? error : unreachable(error));
  }

  /** Ends it, read or not. Idempotent. */
  close(): void {
    this.failure ??= new SafeFetchError('aborted', 'The exchange was closed');
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.response?.destroy();
    this.request.destroy();
  }

  private readonly onAbort = (): void => this.fail(reasonOf(this.options.signal));

  private fail(error: SafeFetchError): void {
    this.failure ??= error;
    this.response?.destroy(error);
    this.request.destroy(error);
  }
}

function requestOptions(
  target: Target,
  addresses: readonly string[],
  options: ExchangeOptions,
): RequestOptions & { readonly servername: string; readonly autoSelectFamilyAttemptTimeout: number } {
  return {
    method: options.method,
    hostname: target.hostname,
    servername: target.isAddress ? '' : target.hostname,
    port: target.port,
    path: `${target.url.pathname}${target.url.search}`,
    headers: { ...options.headers, host: target.url.host },
    // No pool: a connection never outlives its check.
    agent: false,
    lookup: pinnedTo(addresses),
    autoSelectFamilyAttemptTimeout: CONNECT_ATTEMPT_MS,
    maxHeaderSize: options.maxHeaderBytes,
    ...(options.trustedCertificates === undefined ? {} : { ca: options.trustedCertificates }),
  };
}

/** A look-up that knows the checked addresses only: what the name servers say later cannot matter. IPv4 first. */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const entries = addresses
    .map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
    .sort((left, right) => left.family - right.family);
  return (_hostname, options, callback) => {
    const first = entries[0];
    if (first === undefined || options.all === true) {
      callback(null, entries);
    } else {
      callback(null, first.address, first.family);
    }
  };
}

function unreachable(error: unknown): SafeFetchError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new SafeFetchError('too_large', 'The headers of the answer are too large', { cause: error });
  }
  const label = PUBLISHABLE_CODE.test(code) ? ` (${code})` : '';
  return new SafeFetchError('unreachable', `No answer could be read${label}`, { cause: error });
}
