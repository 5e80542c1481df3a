import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket, type ClientOptions } from 'ws';

/** A socket that was opened, with what comes to it. */
export interface OpenSocket {
  readonly socket: WebSocket;
  readonly headers: IncomingHttpHeaders;
  readonly messages: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** The answer to an upgrade that was refused. */
export interface Refusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Opens a WebSocket; rejects with a `Refusal` when it is refused by HTTP. */
export function openSocket(
  url: string,
  headers: Record<string, string> = {},
  options: ClientOptions = {},
): Promise<OpenSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers, ...options });
  const messages: string[] = [];
  let head: IncomingHttpHeaders = {};
  socket.on('message', (data) => messages.push(String(data)));
  socket.on('upgrade', (response) => (head = response.headers));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => resolve({ socket, headers: head, messages, closed }));
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => reject({ status: response.statusCode, headers: response.headers, body }));
      response.on('error', reject);
    });
  });
}

/** Opens a WebSocket that must be refused, and gives the answer. */
export async function refusalOf(url: string, headers: Record<string, string> = {}): Promise<Refusal> {
  const opened = await openSocket(url, headers).catch((refusal: Refusal) => refusal);
  if ('socket' in opened) throw new Error('the socket was opened');
  return opened;
}

/** The head of an upgrade as bytes, without the blank line that ends it when `further` lines come. */
export function upgradeHead(path: string, ...further: string[]): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...further,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
