import type { PrivateAllowList } from './private-allow-list';

/** What each fetch is bounded by; all but those about concurrency can be set for a single request too. */
export interface SafeFetchLimits {
  /** Bytes of the answer's body, before and after decompression. */
  readonly maxBytes: number;
  /** From the start of the exchange, all redirects and the whole body included. */
  readonly timeoutMs: number;
  /** How long nothing may come before it is given up. */
  readonly idleTimeoutMs: number;
  readonly maxRedirects: number;
  /** Bytes of the headers of one answer. */
  readonly maxHeaderBytes: number;
  /** Exchanges at a time, an open stream included. */
  readonly maxConcurrent: number;
  readonly maxConcurrentPerHost: number;
  /** Fetches that wait for their turn; more of them are `busy`. */
  readonly maxWaiting: number;
  /** Those of them that wait for one host, which must not fill the places of all others. */
  readonly maxWaitingPerHost: number;
  /** How long a fetch waits for its turn before it is `busy`. */
  readonly maxWaitMs: number;
}

export const DEFAULT_LIMITS: SafeFetchLimits = {
  maxBytes: 1_048_576,
  timeoutMs: 15_000,
  idleTimeoutMs: 10_000,
  maxRedirects: 3,
  maxHeaderBytes: 16_384,
  maxConcurrent: 32,
  maxConcurrentPerHost: 4,
  maxWaiting: 1_000,
  maxWaitingPerHost: 250,
  maxWaitMs: 30_000,
};

/** The addresses of a name. Whatever it throws makes the fetch `unreachable`. */
export type ResolveAddresses = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface SafeFetchOptions {
  /** How we introduce ourselves. */
  readonly userAgent: string;
  /** Default: nothing. */
  readonly allowPrivate?: PrivateAllowList;
  readonly limits?: Partial<SafeFetchLimits>;
  /** No plain http at all, but for origins on the allow list. Default false. */
  readonly httpsOnly?: boolean;
  /** Certificates (PEM) trusted instead of those of the system. */
  readonly trustedCertificates?: string;
  /** Default: the DNS of the system. */
  readonly resolve?: ResolveAddresses;
}

export interface SafeFetchRequest {
  /** Default GET. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /**
   * Only `accept`, `accept-language` and `content-type` follow a redirect to another origin. Names that belong to the exchange
   * (host, connection, content-length, accept-encoding …) are not taken.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** For POST; sent again at redirects 307 and 308 only. */
  readonly body?: string | Uint8Array;
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly maxRedirects?: number;
  /** The URL itself comes from the operator: it may be private, or use an unusual port. Its redirects may not. Default false. */
  readonly isUrlTrusted?: boolean;
  /**
   * Awaited before a redirect is followed that may be followed, without a slot; the time counts. It has to end with the signal. The
   * fetch rejects with its SafeFetchError, and is `unreachable` for any other.
   */
  readonly beforeRedirect?: (url: string, signal: AbortSignal) => Promise<void>;
}

interface SafeFetchHead {
  /** Any but a followed redirect: 404 and 500 are answers too. */
  readonly status: number;
  /** By lower case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Where the answer came from, after redirects. */
  readonly finalUrl: string;
}

export interface SafeFetchResponse extends SafeFetchHead {
  /** Decompressed. */
  readonly body: Uint8Array;
}

/** An answer whose body is still to come. Each of its limits holds until its end: the deadline too. */
export interface SafeFetchStream extends SafeFetchHead {
  /** To be read once; ends with a SafeFetchError where a limit is met or the connection breaks. Leaving the loop closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the exchange; what is not read is dropped. May be called at any time, more than once. */
  close(): void;
}

/** Fetches what strangers name. Every rejection is a SafeFetchError. */
export interface SafeFetch {
  /** The whole answer. */
  (url: string, request?: SafeFetchRequest, signal?: AbortSignal): Promise<SafeFetchResponse>;
  /** The answer's head, and its body as it comes. Who opens must read to the end or close; the deadline closes what was forgotten. */
  open(url: string, request?: SafeFetchRequest, signal?: AbortSignal): Promise<SafeFetchStream>;
}
