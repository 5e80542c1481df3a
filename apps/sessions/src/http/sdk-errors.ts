import type { SluiceError } from '@sluice/event-log';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SdkRefusal } from '../refusal';

/** The `error.type` of the SDK, by status. */
const TYPE_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [409, 'invalid_request_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
]);

/** Statuses that only our own doors use, as those that the SDK knows. */
const STATUS_OF: ReadonlyMap<number, number> = new Map([
  [405, 404],
  [415, 400],
  [422, 400],
]);

/** The header by which the SDK knows a request. */
export const SDK_REQUEST_ID_HEADER = 'request-id';

const MESSAGE_MAX_LENGTH = 1_000;

export const sdkErrorSchema = z.object({
  type: z.literal('error'),
  error: z.object({
    type: z.string(),
    message: z.string(),
    details: z.object({ error_code: z.string() }).optional(),
  }),
  request_id: z.string(),
});

export interface SdkError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An error in the form of the SDK: its body, its status, and whether the SDK should try again. */
export function toSdkError(error: SluiceError, requestId: string): SdkError {
  const status = STATUS_OF.get(error.status) ?? error.status;
  const type = TYPE_OF_STATUS.get(status) ?? 'api_error';
  return {
    status,
    headers: {
      // It would repeat a conflict and a server's fault by itself; only some of them can pass.
      'x-should-retry': String(error.retryable),
      ...(error.retryAfterMs !== undefined && {
        'retry-after': String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))),
        'retry-after-ms': String(Math.ceil(error.retryAfterMs)),
      }),
    },
    body: JSON.stringify({
      type: 'error',
      error: { type, message: shownMessage(error), details: { error_code: codeOf(error) } },
      request_id: requestId,
    }),
  };
}

/** Answers an error in the form of the SDK, unless an answer is under way: that is broken off. */
export function answerSdkError(error: SluiceError, request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent || reply.raw.headersSent) {
    // The head of the answer is out: breaking off is the only way left to say that it is not whole.
    reply.raw.destroy();
    return;
  }
  const { status, headers, body } = toSdkError(error, request.id);
  void reply
    .code(status)
    .headers({ ...headers, [SDK_REQUEST_ID_HEADER]: request.id })
    .type('application/json')
    .send(body);
}

function codeOf(error: SluiceError): string {
  return error instanceof SdkRefusal ? error.sdkCode : error.code;
}

function shownMessage({ message, where }: SluiceError): string {
  const text = where === undefined || message.startsWith(where) ? message : `${where}: ${message}`;
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return line.length > MESSAGE_MAX_LENGTH ? `${line.slice(0, MESSAGE_MAX_LENGTH)}…` : line;
}
