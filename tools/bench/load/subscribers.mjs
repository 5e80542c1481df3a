import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock.mjs';
import { EventScanner } from './event-scanner.mjs';
import { encodeRequest } from './http-connection.mjs';

const CONNECT_AT_ONCE = 50;
const SUBSCRIBE_TIMEOUT_MS = 30_000;
const READ_BUFFER_BYTES = 64 * 1024;
const POLL_MS = 20;

/** One for all sockets: each read is used up before the next one. */
const readBuffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16).toString('base64'),
};
const SOCKET_SUBSCRIBE = JSON.stringify({
  type: 'subscribe',
  id: 'a',
  filter: { entityIds: ['bench-idle'] },
  credit: 10_000,
});
const SHORT_FRAME_BYTES = 125;

/** What a socket says first, and how it shows that it is subscribed. */
const PROTOCOLS = {
  sse: {
    hello: ({ url, headers }) => encodeRequest('GET', url, { accept: 'text/event-stream', ...headers }),
    accepted: /^HTTP\/1\.1 200 [^]*?\r\n\r\n/,
    refused: /^HTTP\/1\.1 (?!200)/,
  },
  tcp: {
    hello: ({ sandboxId, credential }) => Buffer.from(`SUBSCRIBE ${sandboxId} ${credential}\r\n`),
    accepted: /^\+OK subscribed [^]*?\r\n/,
    refused: /^-/,
  },
  socket: {
    hello: ({ url, headers }) =>
      Buffer.concat([encodeRequest('GET', url, { ...UPGRADE, ...headers }), textFrame(SOCKET_SUBSCRIBE)]),
    accepted: /^HTTP\/1\.1 101 [^]*?"type":"caught_up"[^]*?\}/,
    refused: /^HTTP\/1\.1 (?!101)/,
  },
};

/** One frame of a WebSocket client. Its mask is zero, so the text is as it is. */
function textFrame(text) {
  const payload = Buffer.from(text);
  if (payload.length > SHORT_FRAME_BYTES) throw new Error('a longer frame needs a longer header');
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/**
 * @typedef {{ protocol: 'sse' | 'tcp' | 'socket', host: string, port: number, url?: string, headers?: Record<string, string>,
 *   urls?: readonly string[], sandboxId?: string, credential?: string }} SubscribeTarget `urls`: one after the other
 */

/** Many subscribers of the same events, each on a socket of its own. */
export class Subscribers {
  #sockets = [];
  #isClosing = false;
  #result = { duplicates: 0, unexpected: 0, cut: 0 };
  #left;

  /**
   * @param {SubscribeTarget} target
   * @param {{ count: number, events: number, marker: string, first?: number, atOnce?: number }} expected numbers
   *   `first` (0) to `first + events - 1`, each once; `atOnce`: how many connect at the same time
   */
  constructor(target, { count, events, marker, first = 0, atOnce = CONNECT_AT_ONCE }) {
    this.target = target;
    this.atOnce = atOnce;
    this.count = count;
    this.events = events;
    this.marker = marker;
    this.first = first;
    this.arrivedAt = new Float64Array(count * events).fill(NaN);
    this.#left = count * events;
  }

  /** Resolves when all are subscribed. @throws Error with the answer where one is refused */
  async open() {
    for (let opened = 0; opened < this.count; opened += this.atOnce) {
      const wave = Math.min(this.atOnce, this.count - opened);
      await Promise.all(Array.from({ length: wave }, (_, index) => this.#openOne(opened + index)));
    }
  }

  /** Waits until everything has come, or nothing more has for so long. */
  async collect(quietMs) {
    let left = this.#left;
    let quietSince = nowMs();
    while (this.#left > 0 && nowMs() - quietSince < quietMs) {
      await delay(POLL_MS);
      if (this.#left !== left) quietSince = nowMs();
      left = this.#left;
    }
    return { arrivedAt: this.arrivedAt, ...this.#result };
  }

  /** Reads nothing more, as a client that hangs. */
  stall() {
    for (const socket of this.#sockets) socket.pause();
  }

  close() {
    this.#isClosing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #openOne(index) {
    const { target, marker } = this;
    const protocol = PROTOCOLS[target.protocol];
    return new Promise((resolve, reject) => {
      const scanner = new EventScanner(marker);
      let opening = '';
      let isOpen = false;
      const onBytes = (bytes) => {
        if (isOpen) return this.#scan(index, scanner, bytes);
        opening += bytes.toString('latin1');
        const accepted = protocol.accepted.exec(opening);
        if (accepted) {
          isOpen = true;
          clearTimeout(late);
          resolve();
          this.#scan(index, scanner, Buffer.from(opening.slice(accepted[0].length), 'latin1'));
        } else if (protocol.refused.test(opening)) {
          fail(new Error(`a subscriber was refused: ${opening.slice(0, 300)}`));
        }
      };
      const socket = connect({
        host: target.host,
        port: target.port,
        onread: {
          buffer: readBuffer,
          callback: (length, buffer) => {
            onBytes(buffer.subarray(0, length));
            return true;
          },
        },
      });
      const fail = (error) => {
        clearTimeout(late);
        socket.destroy();
        reject(error);
      };
      const late = setTimeout(() => fail(new Error('a subscriber was not answered')), SUBSCRIBE_TIMEOUT_MS);
      this.#sockets.push(socket);
      socket.on('error', fail);
      socket.on('close', () => {
        if (!isOpen) fail(new Error(`a subscriber was cut off: ${opening.slice(0, 300)}`));
        else if (!this.#isClosing) this.#result.cut += 1;
      });
      const url = target.urls?.[index % target.urls.length] ?? target.url;
      socket.write(protocol.hello({ ...target, url }));
    });
  }

  #scan(index, scanner, bytes) {
    const at = nowMs();
    scanner.feed(bytes, (number) => {
      const sequence = number - this.first;
      if (sequence < 0 || sequence >= this.events) {
        this.#result.unexpected += 1;
        return;
      }
      const place = index * this.events + sequence;
      if (!Number.isNaN(this.arrivedAt[place])) {
        this.#result.duplicates += 1;
        return;
      }
      this.arrivedAt[place] = at;
      this.#left -= 1;
    });
  }
}
