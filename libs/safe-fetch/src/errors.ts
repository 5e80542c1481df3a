/**
 * Why a fetch gave nothing.
 * - `invalid_url`: no URL of http or https, too long, or one with credentials.
 * - `refused_address`: where it leads is not public, and not on the allow list; or a port, or a step from https to http, that is not allowed.
 * - `too_large`: the answer, or its headers, exceed the limit.
 * - `timeout`: the deadline passed, or nothing came for too long.
 * - `too_many_redirects`: more of them than allowed, or a loop.
 * - `unreachable`: no address, no connection, a broken or undecodable answer.
 * - `busy`: too many fetches at once here; it says nothing about the other side.
 * - `aborted`: the caller's signal ended it.
 */
export type SafeFetchErrorCode =
  | 'invalid_url'
  | 'refused_address'
  | 'too_large'
  | 'timeout'
  | 'too_many_redirects'
  | 'unreachable'
  | 'busy'
  | 'aborted';

/** Codes whose fetch may succeed later, unchanged. */
const RETRYABLE: ReadonlySet<SafeFetchErrorCode> = new Set(['timeout', 'unreachable', 'busy', 'aborted']);

/** The only error that a fetch rejects with. Its message names no address of this network and is safe to publish. */
export class SafeFetchError extends Error {
  override readonly name = 'SafeFetchError';

  /** Of `too_many_redirects`: of the redirect that was not followed. */
  readonly status: number | undefined;

  constructor(
    readonly code: SafeFetchErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly status?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
  }

  /** Whether the same fetch may succeed later. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}
