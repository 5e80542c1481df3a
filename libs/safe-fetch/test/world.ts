import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { SafeFetchError, type SafeFetchErrorCode } from '../src/index';

/** A server of the test, and what it saw. */
export interface World {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** `host:port` */
  readonly authority: string;
  /** Connections that it ever got. */
  connections(): number;
  /** Connections that are open. */
  open(): number;
}

const worlds: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

/** Ends all servers of the test, whatever hangs on them. */
export async function closeWorlds(): Promise<void> {
  for (const { server, sockets } of worlds.splice(0)) {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  }
}

export interface Place {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export function serveHttp(listener: RequestListener, place: Place = {}): Promise<World> {
  const server = place.tls === undefined ? createHttpServer(listener) : createHttpsServer(place.tls, listener);
  return listen(server, place);
}

/** Answers each connection with whatever bytes it likes. */
export function serveTcp(onConnection: (socket: Socket) => void, place: Place = {}): Promise<World> {
  return listen(
    createTcpServer((socket) => {
      // Who does not read does not see the end.
      socket.resume();
      onConnection(socket);
    }),
    place,
  );
}

async function listen(server: Server, place: Place): Promise<World> {
  const host = place.host ?? '127.0.0.1';
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.port ?? 0, host, resolve);
  });
  worlds.push({ server, sockets });
  const { port } = server.address() as AddressInfo;
  const authority = `${host}:${port}`;
  return {
    port,
    authority,
    origin: `${place.tls === undefined ? 'http' : 'https'}://${authority}`,
    connections: () => connections,
    open: () => sockets.size,
  };
}

/** The code that a fetch fails with. */
export async function codeOf(fetching: Promise<unknown>): Promise<SafeFetchErrorCode> {
  return (await failureOf(fetching)).code;
}

export async function failureOf(fetching: Promise<unknown>): Promise<SafeFetchError> {
  const outcome = await fetching.then(
    () => new Error('The fetch succeeded'),
    (error: unknown) => error,
  );
  if (!(outcome instanceof SafeFetchError)) {
    throw outcome;
  }
  return outcome;
}

/** Waits for a condition that needs no more than the event loop to go on. */
export async function until(condition: () => boolean): Promise<void> {
  const givenUpAt = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > givenUpAt) {
      throw new Error('The condition never held');
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
