import net from 'node:net';
import tls from 'node:tls';
import type { PubSubSettings } from './config';
import { DISCONNECT_GRACE_MS } from './constants';
import { EventsPubSubError, toError } from './errors';
import { LineSplitter } from './line-splitter';

/** What a connection tells its owner. Nothing is called any more after `close()`. */
export interface ConnectionHandlers {
  /** The transport is up. */
  onOpen: () => void;
  /** Bytes came. */
  onData: () => void;
  onLine: (line: string) => void;
  /** The connection is over, once; with an error unless the peer closed in an orderly way. */
  onClose: (error: EventsPubSubError | undefined) => void;
}

/** One TCP or TLS connection that speaks lines. It lives once: a reconnect makes a new one, with an empty buffer. */
export class LineConnection {
  private readonly socket: net.Socket;
  private readonly lines = new LineSplitter();
  private held = false;
  private delivering = false;
  private over = false;
  private failure: EventsPubSubError | undefined;

  constructor(
    target: Pick<PubSubSettings, 'host' | 'port' | 'tls'>,
    private readonly handlers: ConnectionHandlers,
  ) {
    const { host, port } = target;
    if (target.tls === false) {
      this.socket = net.connect({ host, port });
      this.socket.once('connect', handlers.onOpen);
    } else {
      const socket = tls.connect({ ...(target.tls === true ? {} : target.tls), host, port });
      socket.once('secureConnect', handlers.onOpen);
      this.socket = socket;
    }
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => {
      this.handlers.onData();
      this.lines.push(chunk);
      this.deliver();
    });
    this.socket.on('error', (error) => {
      this.failure ??= new EventsPubSubError(`Connection error: ${describe(error)}`, {
        code: 'connection_error',
        cause: error,
      });
    });
    // 'close' follows every 'error' and every FIN, so it is the one end of the story, also after a reset by the peer.
    this.socket.once('close', () => this.finish());
  }

  /** Sends one line. */
  send(line: string): void {
    if (this.socket.writable) this.socket.write(`${line}\r\n`);
  }

  /** Stops reading and delivering; the bytes that follow wait in the kernel and at the peer. */
  hold(): void {
    this.held = true;
    this.socket.pause();
  }

  /** Goes on reading and delivering. */
  release(): void {
    if (!this.held || this.over) return;
    this.held = false;
    this.deliver();
    if (!this.held && !this.over) this.socket.resume();
  }

  /** Gives the connection up with a reason, which `onClose` gets. */
  fail(error: EventsPubSubError): void {
    this.failure ??= error;
    this.socket.destroy();
  }

  /** Says goodbye and closes; the owner hears nothing more. Resolves when the socket is closed, within a second. */
  close(lastLine: string): Promise<void> {
    this.over = true;
    this.socket.removeAllListeners('data');
    return new Promise((resolve) => {
      if (this.socket.closed) {
        resolve();
        return;
      }
      const timer = setTimeout(() => this.socket.destroy(), DISCONNECT_GRACE_MS);
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (this.socket.connecting) {
        this.socket.destroy();
        return;
      }
      this.send(lastLine);
      this.socket.end();
      // Unread bytes would turn our FIN into a reset.
      this.socket.resume();
    });
  }

  private deliver(): void {
    if (this.delivering) return;
    this.delivering = true;
    try {
      while (!this.held && !this.over && this.failure === undefined) {
        const line = this.lines.next();
        if (line === undefined) break;
        this.handlers.onLine(line);
      }
    } catch (error) {
      const failure = toError(error);
      this.fail(
        failure instanceof EventsPubSubError ? failure : new EventsPubSubError(failure.message, { cause: failure }),
      );
    } finally {
      this.delivering = false;
    }
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.handlers.onClose(this.failure);
  }
}

function describe(error: Error): string {
  // Happy Eyeballs gives one error around the attempts, with an empty message.
  if (error.message === '' && 'errors' in error && Array.isArray(error.errors)) {
    return error.errors.map((part: unknown) => toError(part).message).join(', ');
  }
  return error.message;
}
