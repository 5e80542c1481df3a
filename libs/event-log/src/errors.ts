/**
 * Every error code of Sluice, with the HTTP status a door answers and whether the same request may succeed later.
 * Codes are stable: clients and runbooks rest on them.
 */
export const ERROR_TABLE = {
  invalid_json: { status: 400, retryable: false },
  invalid_request: { status: 400, retryable: false },
  invalid_cursor: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  token_expired: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  idempotency_conflict: { status: 409, retryable: false },
  conflict: { status: 409, retryable: false },
  payload_too_large: { status: 413, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  invalid_event: { status: 422, retryable: false },
  upgrade_required: { status: 426, retryable: false },
  rate_limited: { status: 429, retryable: true },
  too_many_connections: { status: 429, retryable: true },
  internal: { status: 500, retryable: true },
  log_unavailable: { status: 503, retryable: true },
  delivery_log_unavailable: { status: 503, retryable: true },
  read_model_unavailable: { status: 503, retryable: true },
  key_set_unavailable: { status: 503, retryable: true },
  chain_unavailable: { status: 503, retryable: true },
  file_store_unavailable: { status: 503, retryable: true },
  overloaded: { status: 503, retryable: true },
  shutting_down: { status: 503, retryable: true },
  slow_subscriber: { status: 503, retryable: true },
  configuration: { status: 500, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface SluiceErrorOptions {
  readonly cause?: unknown;
  /** Where in the input the fault is, for example `events[3].type`. */
  readonly where?: string;
  /** When to try again, for `rate_limited` and the like. */
  readonly retryAfterMs?: number;
}

/** An error with a stable code, safe to show to the caller. The cause is for logs only. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly where: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: SluiceErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.where = options.where;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }
}

/** Any thrown value as a SluiceError; what is not ours becomes `internal` and keeps its text out of the answer. */
export function toSluiceError(error: unknown): SluiceError {
  return error instanceof SluiceError ? error : new SluiceError('internal', 'Internal error', { cause: error });
}
