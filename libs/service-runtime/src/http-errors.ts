import { HttpException } from '@nestjs/common';
import { SluiceError, toSluiceError, type ErrorCode } from '@sluice/event-log';

const MESSAGE_MAX_LENGTH = 500;

interface Rule {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The faults that Fastify finds before a handler runs, by its own codes. */
const FASTIFY_RULES: ReadonlyMap<string, Rule> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', { code: 'payload_too_large', message: 'Body is too large' }],
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    {
      code: 'unsupported_media_type',
      message:
        'Content-Type must be application/json, application/cloudevents+json or application/cloudevents-batch+json',
    },
  ],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', { code: 'invalid_json', message: 'Body is empty' }],
  [
    'FST_ERR_CTP_INVALID_JSON_BODY',
    {
      code: 'invalid_json',
      message: 'Body is not valid JSON, or has a "__proto__" or "constructor.prototype" key',
    },
  ],
  [
    'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    { code: 'invalid_request', message: 'Body does not have the length that Content-Length says' },
  ],
  ['FST_ERR_BAD_URL', { code: 'invalid_request', message: 'URL is not validly encoded' }],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'invalid_request', message: 'A part of the path is too long' }],
  ['FST_ERR_NOT_FOUND', { code: 'not_found', message: 'Not found' }],
]);

/** The code for a status that another library chose. */
const CODE_OF_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [409, 'conflict'],
  [413, 'payload_too_large'],
  [415, 'unsupported_media_type'],
  [429, 'rate_limited'],
  [503, 'overloaded'],
]);

/**
 * Any thrown value as the error that a door answers. Faults of the request keep their message; what nobody foresaw is
 * `internal`, with the original as its cause and nothing of it in the message.
 */
export function toHttpError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error.message, error);
  const { code, statusCode } = Object(error) as { code?: unknown; statusCode?: unknown };
  const rule = typeof code === 'string' ? FASTIFY_RULES.get(code) : undefined;
  if (rule) return new SluiceError(rule.code, rule.message, { cause: error });
  if (error instanceof Error && typeof statusCode === 'number') {
    // Only Fastify's own words are known to hold no internals.
    const isFastifyError = typeof code === 'string' && code.startsWith('FST_');
    return fromStatus(statusCode, isFastifyError ? error.message : 'Bad request', error);
  }
  return toSluiceError(error);
}

function fromStatus(status: number, message: string, cause: unknown): SluiceError {
  const code = CODE_OF_STATUS.get(status) ?? (status >= 400 && status < 500 ? 'invalid_request' : 'internal');
  return code === 'internal' ? toSluiceError(cause) : new SluiceError(code, message, { cause });
}

/** The JSON body of an error, in one line. */
export function errorBody(error: SluiceError, requestId: string | undefined): string {
  return JSON.stringify({
    success: false,
    error: oneLine(error.message),
    code: error.code,
    ...(error.where !== undefined && { where: oneLine(error.where) }),
    ...(requestId !== undefined && { requestId }),
  });
}

function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return line.length > MESSAGE_MAX_LENGTH ? `${line.slice(0, MESSAGE_MAX_LENGTH)}…` : line;
}
