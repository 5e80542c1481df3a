import { z } from 'zod';

/** The codes of the public registry API. */
const REGISTRY_ERROR_CODES = [
  'VALIDATION_ERROR',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'RATE_LIMIT_EXCEEDED',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_ERROR',
] as const;

type RegistryErrorCode = (typeof REGISTRY_ERROR_CODES)[number];

/** The body of every refusal of the public registry API. */
export const registryErrorSchema = z.object({
  success: z.literal(false),
  error: z.string(),
  code: z.enum(REGISTRY_ERROR_CODES),
  requestId: z.string().optional().meta({ description: 'Not on 401 and 404.' }),
  timestamp: z.iso.datetime().optional().meta({ description: 'Not on 401 and 404.' }),
});

/** What a door refuses with, whatever its class. */
export interface RefusedRequest {
  /** Of HTTP. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** What in the request is at fault. */
  readonly where?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** One error as the doors of the public registry API say it. */
export interface RegistryError {
  readonly status: number;
  readonly code: RegistryErrorCode;
  readonly error: string;
  /** Whole seconds, at least 1. */
  readonly retryAfterSeconds?: number;
}

/** When to try again where nobody knows when a slot is given back. */
const RETRY_AFTER_MS = 5_000;

/** Any error in the words and with the status of the public registry API. */
export function toRegistryError(error: RefusedRequest, hasCredential: boolean): RegistryError {
  switch (error.status) {
    case 400:
      return { status: 400, code: 'VALIDATION_ERROR', error: error.message };
    case 401:
      return { status: 401, code: 'UNAUTHORIZED', error: unauthorizedText(error, hasCredential) };
    case 403:
      return { status: 403, code: 'FORBIDDEN', error: error.message };
    case 404:
    case 405:
      return { status: 404, code: 'NOT_FOUND', error: error.where === undefined ? 'Not Found' : error.message };
    case 429:
      return { status: 429, code: 'RATE_LIMIT_EXCEEDED', error: limitText(error), ...retryAfter(error) };
    case 503:
      return { status: 503, code: 'SERVICE_UNAVAILABLE', error: error.message, ...retryAfter(error) };
    default:
      return { status: 500, code: 'INTERNAL_ERROR', error: 'An unexpected error occurred' };
  }
}

/** The body: refusals of strangers and unknown paths say no more than they must. */
export function registryErrorBody({ status, code, error }: RegistryError, requestId: string): string {
  const hasDetails = status !== 401 && status !== 404;
  const details = hasDetails && { requestId, timestamp: new Date().toISOString() };
  return JSON.stringify({ success: false, error, code, ...details });
}

function unauthorizedText({ code, message }: RefusedRequest, hasCredential: boolean): string {
  if (code === 'token_expired') return message;
  return hasCredential ? 'Invalid API key' : 'API key required';
}

function limitText({ code }: RefusedRequest): string {
  return code === 'too_many_connections' ? 'Too many connections' : 'Rate limit exceeded. Please try again later.';
}

function retryAfter({ retryAfterMs = RETRY_AFTER_MS }: RefusedRequest): { retryAfterSeconds: number } {
  return { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1_000)) };
}
