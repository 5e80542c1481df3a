import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createSafeFetch, type SafeFetch, type SafeFetchLimits } from '../src/index';

export const MIB = 1_048_576;

export function fetchWith(limits: Partial<SafeFetchLimits> = {}): SafeFetch {
  return createSafeFetch({ userAgent: 'safe-fetch-test', allowPrivate: { allows: () => true }, limits });
}

/** Sends as fast as it is read: `bytes` of them, or for ever. */
export function pour(response: ServerResponse, bytes = Infinity): void {
  const chunk = Buffer.alloc(65_536, 'x');
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

/** Sends something every few milliseconds, for as long as anybody listens. */
export function drip(
  socket: { write(text: string): unknown; once(event: 'close', listener: () => void): unknown },
  text: string,
): void {
  const timer = setInterval(() => socket.write(text), 5);
  socket.once('close', () => clearInterval(timer));
}

/** The socket, once something is written to it. */
export function started(socket: Socket, text: string): Socket {
  socket.write(text);
  return socket;
}

export const head = (...lines: readonly string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
