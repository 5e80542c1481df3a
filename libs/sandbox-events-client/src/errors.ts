/** Base class of every error of this package. */
export class EventsError extends Error {
  /**
   * @param message what went wrong; for an answer of the server, its raw body
   * @param statusCode HTTP status, when the server answered
   * @param response the body of the answer as it came, when there was one
   */
  constructor(
    message: string,
    public readonly statusCode?: number,
    public readonly response?: unknown,
  ) {
    super(message);
    this.name = 'EventsError';
  }
}

/** A credential is missing (found locally) or the server answered 401. `statusCode` is 401 in both cases. */
export class EventsAuthError extends EventsError {
  constructor(message: string, response?: unknown) {
    super(message, 401, response);
    this.name = 'EventsAuthError';
  }
}

/** No answer, or not a whole one: connection failures and the time limit. */
export class EventsNetworkError extends EventsError {
  constructor(
    message: string,
    public readonly originalError: Error,
  ) {
    super(message);
    this.name = 'EventsNetworkError';
    this.cause = originalError;
  }
}

const TERMINAL_CODES: ReadonlySet<string> = new Set(['unauthorized', 'token_expired', 'forbidden', 'bad_request']);

/** What an {@link EventsPubSubError} carries besides its text. */
export interface PubSubErrorDetails {
  /** Stable code: the server's (`slow_subscriber`, `token_expired` ...) or one of this client. */
  code?: string;
  /** The error below this one. */
  cause?: unknown;
}

/** A failure of the live subscription. */
export class EventsPubSubError extends EventsError {
  /** Stable code: the server's (`slow_subscriber`, `token_expired` ...) or one of this client. */
  readonly code: string | undefined;
  /** False when connecting again with the same credentials and arguments cannot help; there is no reconnect then. */
  readonly retryable: boolean;

  constructor(message: string, details: PubSubErrorDetails = {}) {
    super(message);
    this.name = 'EventsPubSubError';
    this.code = details.code;
    this.retryable = details.code === undefined || !TERMINAL_CODES.has(details.code);
    if (details.cause !== undefined) this.cause = details.cause;
  }
}

/** True for an Error, also for one of another realm (a vm context, a test runner). */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** The error itself, or an Error around a value that is none. */
export function toError(value: unknown): Error {
  return isError(value) ? value : new Error(String(value));
}
