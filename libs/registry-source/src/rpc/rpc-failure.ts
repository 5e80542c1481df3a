import type { RequestOutcome } from '../signals';

export type FailureKind = Exclude<RequestOutcome, 'ok'>;

/** A request that an endpoint did not answer as asked. Messages hold nothing of the URL. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
  /** When the endpoint wants to be asked again. */
  readonly retryAfterMs: number | undefined;
  /** Most blocks that the endpoint takes in one request for logs, where it told. */
  readonly maxBlocks: number | undefined;

  constructor(
    readonly kind: FailureKind,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly retryAfterMs?: number | undefined;
      readonly maxBlocks?: number | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
    this.maxBlocks = options.maxBlocks;
  }
}

/** Any thrown value as a failure; faults of our own are `invalid`, so that they end at the endpoint and not the process. */
export function toRpcFailure(error: unknown): RpcFailure {
  if (error instanceof RpcFailure) return error;
  return new RpcFailure('invalid', error instanceof Error ? error.message : 'unknown fault', { cause: error });
}

/** What was asked for is too much for one answer: less of it may be had. */
export function isTooMuch({ kind }: RpcFailure): boolean {
  return kind === 'limit' || kind === 'too_large';
}
