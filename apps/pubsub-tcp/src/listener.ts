import type { TlsCertificate } from '@sluice/service-runtime';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface ListenerEvents {
  /** A socket, before any handshake. */
  raw(socket: Socket): void;
  /** A socket on which commands can be read. */
  ready(socket: Socket): void;
  handshakeFailed(): void;
}

/** Half-open: a peer that has sent its last command still gets its answer. */
const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true };

/** A server for plain TCP, or for TLS with a certificate. It does not listen yet. */
export function createListener(certificate: TlsCertificate | undefined, events: ListenerEvents): Server {
  if (!certificate) {
    return createServer(SOCKET_OPTIONS, (socket) => {
      events.raw(socket);
      events.ready(socket);
    });
  }
  const server = createTlsServer({ ...SOCKET_OPTIONS, ...certificate.options });
  certificate.follow(server);
  server.on('connection', (socket: Socket) => events.raw(socket));
  server.on('secureConnection', (socket) => events.ready(socket));
  server.on('tlsClientError', (_error, socket) => {
    events.handshakeFailed();
    socket.destroy();
  });
  return server;
}
