import { once } from 'node:events';
import { connect } from 'node:net';
import { ResponseReader } from './http-response.mjs';

/** A request as bytes, made once and sent as often as wanted. */
export function encodeRequest(method, url, headers, body = '') {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === 'GET' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`);
}

/** One keep-alive connection with one request at a time. */
export class HttpConnection {
  #reader = new ResponseReader();
  #answer;
  #socket;

  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      try {
        this.#reader.feed(chunk, (status) => this.#answer?.(status));
      } catch (error) {
        socket.destroy(error);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#answer?.(0));
  }

  /** @param {string} url */
  static async open(url) {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    return new HttpConnection(socket);
  }

  /** Sends a request and calls back with the status of its answer; 0 when the connection is lost. */
  send(request, onStatus) {
    if (this.#socket.destroyed) return void onStatus(0);
    this.#answer = (status) => {
      this.#answer = undefined;
      onStatus(status);
    };
    this.#socket.write(request);
  }

  close() {
    this.#answer = undefined;
    this.#socket.destroy();
  }
}
