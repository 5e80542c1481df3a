import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fastifyWebsocket, type WebSocket } from '@fastify/websocket';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { answerBare } from './client-errors';
import type { ServiceLogger } from './logger';
import type { MetricsRegistry } from './metrics';
import { REQUEST_ID_HEADER } from './request-id';
import { Upgrades } from './upgrades';

/** One end of a WebSocket, as the handler of a route with `websocket: true` is given it. */
export type { WebSocket } from '@fastify/websocket';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set for routes with `websocket: true`. */
    webSocket?: boolean;
  }
}

/** Bounds of WebSockets and of the way to them; what their doors bound besides is theirs. */
export interface WebSocketLimits {
  /** Of one message; a longer one closes the socket with 1009. */
  readonly maxMessageBytes: number;
  readonly maxMessageFragments: number;
  /** Upgrades that are being decided at a time; further ones are answered 503. */
  readonly maxPendingUpgrades: number;
  /** From the head of the request to the upgrade, or to the end of its refusal; then the connection is cut. */
  readonly upgradeTimeoutMs: number;
  /** A socket on which nothing was sent or received for so long is cut. Doors ping far more often. */
  readonly idleTimeoutMs: number;
  /** From the close frame to the end of the connection; then it is cut. */
  readonly closeTimeoutMs: number;
}

export const WEB_SOCKET_LIMITS: WebSocketLimits = {
  maxMessageBytes: 65_536,
  maxMessageFragments: 16,
  maxPendingUpgrades: 1_000,
  upgradeTimeoutMs: 20_000,
  idleTimeoutMs: 300_000,
  closeTimeoutMs: 5_000,
};

const WEB_SOCKET_VERSION = '13';
const WEB_SOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/;
const INTERNAL_ERROR_CLOSE_CODE = 1011;

/** What becomes of the requests that were upgraded. */
export interface UpgradeObserver {
  onUpgraded(request: IncomingMessage): void;
}

/** WebSockets on the routes of a Fastify: an upgrade passes the hooks of its route, and is refused as any request is. */
export class WebSockets {
  private readonly limits: WebSocketLimits;
  private readonly upgrades: Upgrades;
  /** Upgrade requests with their connections. */
  private readonly asked = new WeakMap<IncomingMessage, Duplex>();
  private readonly requestIds = new WeakMap<IncomingMessage, string>();

  constructor(
    private readonly fastify: FastifyInstance,
    private readonly logger: ServiceLogger,
    metrics: MetricsRegistry,
    private readonly observer: UpgradeObserver,
    limits: Partial<WebSocketLimits> = {},
  ) {
    this.limits = { ...WEB_SOCKET_LIMITS, ...limits };
    const { maxPendingUpgrades: maxPending, upgradeTimeoutMs: timeoutMs } = this.limits;
    this.upgrades = new Upgrades(fastify.server, { maxPending, timeoutMs }, metrics);
    this.upgrades.relay.on('upgrade', (request: IncomingMessage, socket: Duplex) => this.asked.set(request, socket));
    fastify.addHook('onRoute', markRoute);
  }

  /** To be awaited before routes are added. */
  async register(): Promise<void> {
    const { maxMessageBytes, maxMessageFragments, closeTimeoutMs } = this.limits;
    // The types of the server do not know these yet.
    const furtherBounds = { maxFragments: maxMessageFragments, closeTimeout: closeTimeoutMs };
    await this.fastify.register(fastifyWebsocket, {
      options: {
        server: this.upgrades.relay,
        maxPayload: maxMessageBytes,
        ...furtherBounds,
        perMessageDeflate: false,
        clientTracking: true,
      },
      errorHandler: (error, socket, request) => this.onError(error, socket, request),
      // Whoever opened them closes them, with a code that says why.
      preClose: (done) => done(),
    });
    const { websocketServer } = this.fastify;
    websocketServer.on('headers', (headers, request) => {
      const id = this.requestIds.get(request);
      if (id !== undefined) headers.push(`${REQUEST_ID_HEADER}: ${id}`);
    });
    websocketServer.on('connection', (socket, request) => this.onOpen(socket, request));
    websocketServer.on('wsClientError', (error, socket) => {
      answerBare(socket, '400 Bad Request', new SluiceError('invalid_request', error.message));
    });
  }

  /** Follows a request from its beginning: an upgrade that is answered has failed, and nobody else ends its connection. */
  follow(request: FastifyRequest, reply: FastifyReply): void {
    const connection = this.asked.get(request.raw);
    if (connection === undefined) return;
    this.requestIds.set(request.raw, request.id);
    reply.header('connection', 'close');
    reply.raw.once('finish', () => connection.destroy());
  }

  /** Why a request may not go on to its handler: an upgrade where there is no WebSocket, or none where there is one. */
  refusal(request: FastifyRequest, reply: FastifyReply): SluiceError | undefined {
    const isRoute = request.routeOptions.config?.webSocket === true && request.method === 'GET';
    if (!this.asked.has(request.raw)) {
      if (!isRoute) return undefined;
      reply.header('upgrade', 'websocket').header('connection', 'upgrade');
      return new SluiceError('upgrade_required', 'This address speaks WebSocket only');
    }
    if (request.is404) return undefined;
    if (!isRoute) return new SluiceError('invalid_request', 'There is no WebSocket at this address');
    return handshakeFault(request, reply);
  }

  /** Cuts every WebSocket and whatever is on its way to become one. */
  terminate(): void {
    this.upgrades.cut();
    for (const socket of this.fastify.websocketServer.clients) socket.terminate();
  }

  private onOpen(socket: WebSocket, request: IncomingMessage): void {
    this.observer.onUpgraded(request);
    const connection = this.asked.get(request);
    if (connection === undefined) return;
    this.upgrades.done(connection);
    if (connection instanceof Socket) connection.setTimeout(this.limits.idleTimeoutMs, () => socket.terminate());
  }

  private onError(error: Error, socket: WebSocket, request: FastifyRequest): void {
    const fields = { requestId: request.id, route: request.routeOptions.url, error };
    // A fault of the peer: its close frame is on the way already, and its code says what was wrong.
    if (socket.readyState !== socket.OPEN) {
      this.logger.debug('websocket error', fields);
      return;
    }
    this.logger.error('websocket handler failed', fields);
    socket.close(INTERNAL_ERROR_CLOSE_CODE, 'internal');
  }
}

/** Before the plugin's own hook, which would answer HEAD with a 404 of another form. */
function markRoute(route: RouteOptions): void {
  if (route.websocket !== true && route.wsHandler === undefined) return;
  route.config = { ...route.config, longLived: true, webSocket: true };
  if (route.method !== 'HEAD') return;
  route.websocket = false;
  delete route.wsHandler;
}

function handshakeFault(request: FastifyRequest, reply: FastifyReply): SluiceError | undefined {
  const { 'sec-websocket-version': version, 'sec-websocket-key': key } = request.headers;
  if (version !== WEB_SOCKET_VERSION) {
    reply.header('sec-websocket-version', WEB_SOCKET_VERSION);
    return new SluiceError('invalid_request', `Sec-WebSocket-Version must be ${WEB_SOCKET_VERSION}`);
  }
  if (key === undefined || !WEB_SOCKET_KEY.test(key)) {
    return new SluiceError('invalid_request', 'Sec-WebSocket-Key must be 16 bytes in base64');
  }
  return undefined;
}
