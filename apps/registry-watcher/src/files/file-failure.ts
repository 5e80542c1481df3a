import type { FileError, FileErrorCode } from '@sluice/agent-registry';
import { SafeFetchError, type SafeFetchErrorCode } from '@sluice/safe-fetch';

/** Why one source did not give the file. */
export interface FileFailure {
  readonly error: FileError;
  readonly retryable: boolean;
}

const CODES: Readonly<Record<SafeFetchErrorCode, FileErrorCode>> = {
  invalid_url: 'unsupported_uri',
  refused_address: 'refused_address',
  too_large: 'too_large',
  timeout: 'timeout',
  too_many_redirects: 'too_many_redirects',
  unreachable: 'unreachable',
  busy: 'busy',
  aborted: 'timeout',
};

/** What the file itself is at fault for: no other gateway has a better one. */
const OF_THE_FILE: ReadonlySet<FileErrorCode> = new Set([
  'too_large',
  'not_json',
  'not_an_object',
  'too_deep',
  'invalid_file',
]);

/** Statuses below 500 that pass by themselves. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

export function failed(code: FileErrorCode, message: string, retryable = false): FileFailure {
  return { error: { code, message }, retryable };
}

/** @throws what is no SafeFetchError, as it is. */
export function failureOfFetch(error: unknown): FileFailure {
  if (!(error instanceof SafeFetchError)) {
    throw error;
  }
  return failed(CODES[error.code], error.message, error.retryable);
}

export function failureOfStatus(status: number): FileFailure {
  const retryable = status >= 500 || PASSING_STATUSES.has(status);
  return failed('http_status', `The server answered ${status}`, retryable);
}

export function isOfTheFile(failure: FileFailure): boolean {
  return OF_THE_FILE.has(failure.error.code);
}

/** Which of two failures says more: one about the file, then what a server answered, then the earlier one. */
export function moreTelling(earlier: FileFailure | undefined, later: FileFailure): FileFailure {
  return earlier === undefined || rankOf(later) > rankOf(earlier) ? later : earlier;
}

function rankOf(failure: FileFailure): number {
  return isOfTheFile(failure) ? 2 : failure.error.code === 'http_status' ? 1 : 0;
}
