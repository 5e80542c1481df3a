import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** What an upgrade adds to the head of a request, to be left out of it. */
const UPGRADE_HEADERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** Whether the request asks for a WebSocket, in the only way that leads to one. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  const { method, httpVersion, headers } = request;
  return method === 'GET' && httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Serves a request that offers another protocol (`h2c` above all, as some clients do with their first request) as if it
 * had not: a server may always decline. Node has taken the connection out of HTTP by then, so its head is put back.
 */
export function declineUpgrade(server: Server, request: IncomingMessage, socket: Duplex, rest: Buffer): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), rest]));
  // A connection on which TLS was spoken already is not to shake hands again.
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (name.toLowerCase() === 'connection') lines.push(`${name}: ${connectionOptions(value)}`);
    else if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function connectionOptions(value: string): string {
  const options = value.split(',').map((option) => option.trim());
  return options.filter((option) => !UPGRADE_HEADERS.has(option.toLowerCase())).join(', ') || 'keep-alive';
}
