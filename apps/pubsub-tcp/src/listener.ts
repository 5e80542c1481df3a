import { SluiceError } from '@sluice/event-log';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { PubSubConfig } from './config';

export interface ListenerEvents {
  /** A socket, before any handshake. */
  raw(socket: Socket): void;
  /** A socket on which commands can be read. */
  ready(socket: Socket): void;
  handshakeFailed(): void;
}

/** Half-open: a peer that has sent its last command still gets its answer. */
const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true };

/** A server for plain TCP, or for TLS when files are given. It does not listen yet. @throws SluiceError `configuration` */
export async function createListener(
  tls: PubSubConfig['tls'],
  handshakeTimeoutMs: number,
  events: ListenerEvents,
): Promise<Server> {
  if (!tls) {
    return createServer(SOCKET_OPTIONS, (socket) => {
      events.raw(socket);
      events.ready(socket);
    });
  }
  const cert = await readPem(tls.certFile, 'SLUICE_PUBSUB_TLS_CERT_FILE');
  const key = await readPem(tls.keyFile, 'SLUICE_PUBSUB_TLS_KEY_FILE');
  try {
    const server = createTlsServer({ ...SOCKET_OPTIONS, cert, key, handshakeTimeout: handshakeTimeoutMs });
    server.on('connection', (socket: Socket) => events.raw(socket));
    server.on('secureConnection', (socket) => events.ready(socket));
    server.on('tlsClientError', (_error, socket) => {
      events.handshakeFailed();
      socket.destroy();
    });
    return server;
  } catch (error) {
    throw new SluiceError('configuration', 'the certificate and key of the pub/sub port do not fit', { cause: error });
  }
}

async function readPem(path: string, setting: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SluiceError('configuration', `cannot read the file that ${setting} names`, { cause: error });
  }
}
