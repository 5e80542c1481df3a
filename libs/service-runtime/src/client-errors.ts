import type { Duplex } from 'node:stream';
import { SluiceError } from '@sluice/event-log';
import { errorBody } from './http-errors';
import { securityHeadersOf } from './security-headers';

interface Answer {
  readonly head: string;
  readonly message: string;
}

const ANSWERS: ReadonlyMap<string, Answer> = new Map([
  ['HPE_HEADER_OVERFLOW', { head: '431 Request Header Fields Too Large', message: 'Headers are too large' }],
  ['ERR_HTTP_REQUEST_TIMEOUT', { head: '408 Request Timeout', message: 'Request took too long to arrive' }],
]);
const MALFORMED: Answer = { head: '400 Bad Request', message: 'Not an HTTP request' };

/** How long a caller that does not read may keep a connection whose answer is written. */
const UNREAD_ANSWER_MAX_MS = 2_000;

/** Of a connection that is lost, or on which TLS failed: no answer would arrive. */
const UNANSWERABLE = /^(?:ECONNRESET|EPIPE|EPROTO|ERR_(?:SSL|TLS|OSSL)_.*)$/;

/** Answers bytes that are no HTTP request, for which there is no request object, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (UNANSWERABLE.test(error.code ?? '')) {
    socket.destroy();
    return;
  }
  const { head, message } = ANSWERS.get(error.code ?? '') ?? MALFORMED;
  answerBare(socket, head, new SluiceError('invalid_request', message));
}

/** Writes an answer to a connection that HTTP has let go of, and closes it. */
export function answerBare(
  socket: Duplex,
  head: string,
  error: SluiceError,
  furtherHeaders: readonly string[] = [],
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorBody(error, undefined);
  const headers = [
    `HTTP/1.1 ${head}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(securityHeadersOf(socket)).map(([name, value]) => `${name}: ${value}`),
    ...furtherHeaders,
    'Connection: close',
  ];
  const timer = setTimeout(() => socket.destroy(), UNREAD_ANSWER_MAX_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
  socket.once('finish', () => socket.destroy());
}
