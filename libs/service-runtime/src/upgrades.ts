import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { SluiceError } from '@sluice/event-log';
import type { Counter } from 'prom-client';
import { answerBare } from './client-errors';
import type { MetricsRegistry } from './metrics';
import { asksForWebSocket, declineUpgrade } from './plain-upgrade';
import { METRIC_NAMES } from './signals';

export interface UpgradeLimits {
  /** Upgrades that are neither made nor refused, at a time; further ones are answered 503. */
  readonly maxPending: number;
  /** From the head of the request to the upgrade, or to the end of its refusal; then the connection is cut. */
  readonly timeoutMs: number;
}

const RETRY_AFTER_SECONDS = 1;

/**
 * The requests of a server that want to leave HTTP. Those for a WebSocket are handed on to `relay`, the others are
 * declined. Node has let go of their connections, so none of HTTP's time limits holds for them: these here do.
 */
export class Upgrades {
  /** Never listens: it only passes on those upgrades that may go on. */
  readonly relay: Server = createServer();
  private readonly pending = new Map<Duplex, NodeJS.Timeout>();
  private readonly refused: Counter<'reason'>;

  constructor(
    private readonly server: Server,
    private readonly limits: UpgradeLimits,
    metrics: MetricsRegistry,
  ) {
    this.refused = metrics.counter<'reason'>({
      name: METRIC_NAMES.httpUpgradesCutTotal,
      help: 'Upgrades that came to nothing; reason is too_many at a time, timeout, or pipelined behind another request',
      labels: ['reason'],
    });
    metrics.gauge({
      name: METRIC_NAMES.httpUpgradesPending,
      help: 'Upgrades to WebSocket that are neither made nor refused',
      collect: (gauge) => gauge.set(this.pending.size),
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.take(request, socket, head));
  }

  /** The upgrade was made: its connection is its WebSocket's from now on. */
  done(socket: Duplex): void {
    clearTimeout(this.pending.get(socket));
    this.pending.delete(socket);
  }

  /** Cuts all that are pending. */
  cut(): void {
    for (const socket of this.pending.keys()) socket.destroy();
  }

  private take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until it has an owner again: an error that nobody listens for ends the process.
    socket.on('error', destroy);
    if (isAnswering(request, socket)) {
      this.refused.inc({ reason: 'pipelined' });
      socket.destroy();
      return;
    }
    if (!asksForWebSocket(request)) {
      socket.off('error', destroy);
      declineUpgrade(this.server, request, socket, head);
      return;
    }
    if (this.pending.size >= this.limits.maxPending) {
      this.refused.inc({ reason: 'too_many' });
      const error = new SluiceError('overloaded', 'Too many connections are being upgraded');
      answerBare(socket, '503 Service Unavailable', error, [`Retry-After: ${RETRY_AFTER_SECONDS}`]);
      return;
    }
    const timer = setTimeout(() => {
      this.refused.inc({ reason: 'timeout' });
      socket.destroy();
    }, this.limits.timeoutMs);
    this.pending.set(socket, timer);
    socket.once('close', () => this.done(socket));
    this.relay.emit('upgrade', request, socket, head);
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** Whether an earlier request of the same connection is not answered to the end; HTTP would have to wait for it. */
function isAnswering(request: IncomingMessage, socket: Duplex): boolean {
  const probe = new ServerResponse(request);
  try {
    probe.assignSocket(request.socket);
    probe.detachSocket(request.socket);
    return socket.destroyed;
  } catch {
    return true;
  }
}
