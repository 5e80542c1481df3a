import type { IncomingMessage } from 'node:http';
import { announcesMoreThan, collectBytes, readBody, tooLarge } from './body';
import { Deadline } from './deadline';
import { SafeFetchError } from './errors';
import { Exchange } from './exchange';
import {
  DEFAULT_LIMITS,
  type ResolveAddresses,
  type SafeFetch,
  type SafeFetchLimits,
  type SafeFetchOptions,
  type SafeFetchRequest,
  type SafeFetchStream,
} from './options';
import { NOTHING_PRIVATE } from './private-allow-list';
import { headersAfterRedirect, headersOf, isRedirect, keepsMethod, requestHeaders } from './request-headers';
import { addressesOf, resolveListedName, resolvePublicName } from './resolve-addresses';
import { Slots } from './slots';
import { PUBLIC_URL_RULES, targetOf, trustedTargetOf, type Target, type UrlRules } from './url-rules';

/** Makes a fetch that shares its bounds of concurrency among all who use it. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  return createFetchByRules(options, PUBLIC_URL_RULES);
}

/** The same by other rules of what is public. */
export function createFetchByRules(
  options: SafeFetchOptions,
  publicRules: Omit<UrlRules, 'allowPrivate' | 'httpsOnly'>,
): SafeFetch {
  const fetcher = new Fetcher(options, {
    ...publicRules,
    allowPrivate: options.allowPrivate ?? NOTHING_PRIVATE,
    httpsOnly: options.httpsOnly ?? false,
  });
  return Object.assign(fetcher.fetch.bind(fetcher), { open: fetcher.open.bind(fetcher) });
}

/** What is asked at one step of the way. */
interface Step {
  readonly target: Target;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

type RequestLimits = Pick<SafeFetchLimits, 'maxBytes' | 'timeoutMs' | 'idleTimeoutMs' | 'maxRedirects'> &
  Pick<SafeFetchRequest, 'beforeRedirect'>;

class Fetcher {
  private readonly limits: SafeFetchLimits;
  private readonly slots: Slots;

  constructor(
    private readonly options: SafeFetchOptions,
    private readonly rules: UrlRules,
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.slots = new Slots(this.limits);
  }

  async fetch(url: string, request: SafeFetchRequest = {}, signal?: AbortSignal): ReturnType<SafeFetch> {
    const { body, close, ...head } = await this.open(url, request, signal);
    try {
      return { ...head, body: await collectBytes(body, request.maxBytes ?? this.limits.maxBytes) };
    } finally {
      close();
    }
  }

  async open(url: string, request: SafeFetchRequest = {}, signal?: AbortSignal): Promise<SafeFetchStream> {
    const first: Step = {
      target: request.isUrlTrusted === true ? trustedTargetOf(url, this.rules) : targetOf(url, this.rules),
      method: request.method ?? 'GET',
      headers: requestHeaders(request.headers ?? {}, this.options.userAgent),
      body: request.body,
    };
    const way = new Way(this.slots);
    await way.enter(first.target, signal);
    const deadline = new Deadline(request.timeoutMs ?? this.limits.timeoutMs, signal);
    const end = (): void => {
      deadline.end();
      way.leave();
    };
    try {
      return await this.follow(first, { ...this.limits, ...defined(request) }, way, deadline, end);
    } catch (error) {
      end();
      throw error instanceof SafeFetchError
        ? error
        : new SafeFetchError('unreachable', 'The fetch failed', { cause: error });
    }
  }

  private async follow(
    first: Step,
    limits: RequestLimits,
    way: Way,
    deadline: Deadline,
    end: () => void,
  ): Promise<SafeFetchStream> {
    const seen = new Set<string>();
    let step = first;
    for (;;) {
      seen.add(`${step.method} ${step.target.url.href}`);
      const exchange = await this.exchange(step, limits.idleTimeoutMs, deadline.signal);
      const response = await exchange.answer();
      const location = isRedirect(response) ? response.headers.location : undefined;
      if (location === undefined) {
        return streamOf(step, response, exchange, limits.maxBytes, deadline.signal, end);
      }
      exchange.close();
      const status = response.statusCode ?? 0;
      // First, so that where it would lead says nothing: it is not followed.
      if (seen.size > limits.maxRedirects) throw tooManyRedirects(limits, status);
      const next = this.nextStep(step, status, location);
      if (seen.has(`${next.method} ${next.target.url.href}`)) throw tooManyRedirects(limits, status);
      step = next;
      if (limits.beforeRedirect !== undefined) {
        way.leave();
        await limits.beforeRedirect(step.target.url.href, deadline.signal);
      }
      await way.enter(step.target, deadline.signal);
    }
  }

  private async exchange(step: Step, idleTimeoutMs: number, signal: AbortSignal): Promise<Exchange> {
    const addresses = await addressesOf(step.target, this.resolverOf(step.target), this.rules.isPublicAddress, signal);
    return Exchange.start(step.target, addresses, {
      method: step.method,
      headers: step.headers,
      body: step.body,
      idleTimeoutMs,
      maxHeaderBytes: this.limits.maxHeaderBytes,
      trustedCertificates: this.options.trustedCertificates,
      signal,
    });
  }

  private resolverOf(target: Target): ResolveAddresses {
    return this.options.resolve ?? (target.allowed ? resolveListedName : resolvePublicName);
  }

  private nextStep(step: Step, status: number, location: string): Step {
    const target = targetOf(location, this.rules, step.target);
    const headers = target.url.origin === step.target.url.origin ? step.headers : headersAfterRedirect(step.headers);
    return keepsMethod(status, step.method)
      ? { ...step, target, headers }
      : { target, method: 'GET', headers, body: undefined };
  }
}

/** The slots on the way of one fetch: always one, that of the host which it is at. */
class Way {
  private release: (() => void) | undefined;
  private hostname: string | undefined;

  constructor(private readonly slots: Slots) {}

  /**
   * Gives up the slot before it waits for that of another host, so that fetches that redirect to each other's hosts never wait in a
   * circle. At the same host it goes on with the slot that it has.
   */
  async enter(target: Target, signal: AbortSignal | undefined): Promise<void> {
    if (target.hostname === this.hostname) {
      return;
    }
    this.leave();
    this.release = await this.slots.take(target.hostname, signal);
    this.hostname = target.hostname;
  }

  leave(): void {
    this.release?.();
    this.release = undefined;
    this.hostname = undefined;
  }
}

function streamOf(
  step: Step,
  response: IncomingMessage,
  exchange: Exchange,
  maxBytes: number,
  signal: AbortSignal,
  end: () => void,
): SafeFetchStream {
  const close = (): void => {
    signal.removeEventListener('abort', close);
    exchange.close();
    end();
  };
  // What nobody reads is closed by the deadline.
  signal.addEventListener('abort', close);
  try {
    if (step.method !== 'HEAD' && announcesMoreThan(response, maxBytes)) {
      throw tooLarge(maxBytes);
    }
    const chunks = readBody(response, maxBytes);
    return {
      status: response.statusCode ?? 0,
      headers: headersOf(response),
      finalUrl: step.target.url.href,
      body: closing(chunks, exchange, close),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function tooManyRedirects({ maxRedirects }: RequestLimits, status: number): SafeFetchError {
  return new SafeFetchError('too_many_redirects', `More than ${maxRedirects} redirects, or a loop`, { status });
}

async function* closing(
  chunks: AsyncIterable<Uint8Array>,
  exchange: Exchange,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw exchange.failureOf(error);
  } finally {
    close();
  }
}

function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
