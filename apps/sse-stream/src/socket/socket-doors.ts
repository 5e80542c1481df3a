import { limitKeyOf, type CallerLimiter, type Principal } from '@sluice/access';
import type { EventFeed, PresenceBoard } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import type { WebSocket } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readWorkspaceRequest } from '../http/workspace/workspace-request';
import type { OpenStreams } from '@sluice/event-streams';
import { SOCKET_LIMITS, type SocketLimits } from './limits';
import type { Session } from './session';
import { SocketConnection } from './socket-connection';
import { SocketSession } from './socket-session';
import type { SocketDoorName, SocketSignals } from './socket-signals';
import { WorkspaceSession } from './workspace-session';

export interface SocketPorts {
  readonly feed: EventFeed;
  readonly gatekeeper: HttpGatekeeper;
  readonly limiter: CallerLimiter;
  readonly presence: PresenceBoard;
  /** A drain ends sockets together with all other streams. */
  readonly streams: OpenStreams;
  readonly signals: SocketSignals;
  /** Other bounds than `SOCKET_LIMITS`; the app's config fits. */
  readonly config: Partial<SocketLimits>;
}

/** Makes the session of a connection whose request was admitted. */
type OpenSession = (wire: SocketConnection) => Session;

/** What a request was let in for; the connection is made of it. */
interface Admitted {
  readonly principal: Principal;
  readonly openSession: OpenSession;
}

interface Door {
  readonly name: SocketDoorName;
  /** @throws SluiceError for a request that cannot be honoured; it is answered by HTTP. */
  prepare(request: FastifyRequest, principal: Principal): OpenSession;
}

/** `GET /ws`, the workspace events by WebSocket, and `GET /v1/socket`, everything by any filter with credit. */
export class SocketDoors {
  private readonly limits: SocketLimits;
  private readonly admitted = new WeakMap<FastifyRequest, Admitted>();
  private readonly connections = new Set<SocketConnection>();
  private sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly ports: SocketPorts) {
    this.limits = withLimits(ports.config);
  }

  /** To be called while routes can be added. */
  register(fastify: FastifyInstance): void {
    const { ports, limits } = this;
    this.route(fastify, '/ws', {
      name: 'workspace',
      prepare: ({ query, headers }, principal) => {
        const { filter, start } = readWorkspaceRequest(query, headers, principal);
        const namedCursor = namesCursor(query, headers);
        const caller = limitKeyOf(principal);
        return (wire) => new WorkspaceSession(wire, { ...ports, limits }, { filter, start, caller, namedCursor });
      },
    });
    this.route(fastify, '/v1/socket', {
      name: 'socket',
      prepare: (_request, principal) => (wire) => new SocketSession(wire, { ...ports, limits }, principal),
    });
  }

  private route(fastify: FastifyInstance, path: string, door: Door): void {
    fastify.get(
      path,
      {
        websocket: true,
        config: { longLived: true },
        // Before the handshake is answered, so that a refusal is an answer of HTTP.
        onRequest: (request) => this.admit(request, door),
      },
      (webSocket, request) => this.connect(webSocket, request, door),
    );
  }

  private async admit(request: FastifyRequest, door: Door): Promise<void> {
    const principal = await this.ports.gatekeeper.admit(request, { queryToken: true, loopback: true });
    const openSession = door.prepare(request, principal);
    const lease = this.ports.limiter.openConnection(principal);
    const { socket } = request.raw;
    socket.once('close', () => lease.release());
    if (socket.destroyed) lease.release();
    this.admitted.set(request, { principal, openSession });
  }

  private connect(webSocket: WebSocket, request: FastifyRequest, { name }: Door): void {
    const admitted = this.admitted.get(request);
    if (!admitted) return webSocket.terminate();
    const { principal, openSession } = admitted;
    const connection = new SocketConnection({
      webSocket,
      transport: request.raw.socket,
      facts: { door: name, requestId: request.id, principalId: limitKeyOf(principal) },
      limits: this.limits,
      signals: this.ports.signals,
      watchCaller: (onEnded) => this.ports.gatekeeper.watch(principal, onEnded),
    });
    this.connections.add(connection);
    this.sweeper ??= setInterval(() => this.sweep(), this.limits.sweepMs);
    void connection.over.then(() => this.forget(connection));
    connection.start(openSession(connection));
    this.ports.streams.add(connection);
  }

  private forget(connection: SocketConnection): void {
    this.connections.delete(connection);
    if (this.connections.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.connections) connection.sweep(nowMs);
  }
}

/** A config may have other members and may leave some undefined. */
function withLimits(config: Partial<SocketLimits>): SocketLimits {
  const names = Object.keys(SOCKET_LIMITS) as (keyof SocketLimits)[];
  const own = names.flatMap((name) => (config[name] === undefined ? [] : [[name, config[name]] as const]));
  return { ...SOCKET_LIMITS, ...Object.fromEntries(own) };
}

/** Whether the client says where to begin: then it knows what a cursor is. */
function namesCursor(query: unknown, headers: FastifyRequest['headers']): boolean {
  const names = typeof query === 'object' && query !== null ? query : {};
  return 'cursor' in names || 'lastEventId' in names || Boolean(headers['last-event-id']);
}
