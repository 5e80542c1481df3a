import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Counter } from 'prom-client';
import type { ServiceLogger } from './logger';
import type { MetricsRegistry } from './metrics';
import { METRIC_NAMES } from './signals';

/** Requests that wait on one connection for the answers before theirs; who sends more is cut. */
export const MAX_PIPELINED_REQUESTS = 64;

/** Why a connection is cut: what came behind a stream could never be answered, or too much waited. */
type CutReason = 'behind_stream' | 'too_many';

/**
 * Requests that were sent by one connection without waiting for the answers. Each begins when its turn has come, so what
 * waits holds nothing but its head. Node forgets answers that wait when their connection goes: they are closed here, as
 * Node closes the one whose turn it is.
 */
export class PipelinedRequests {
  private readonly waiting = new WeakMap<Socket, Set<ServerResponse>>();
  /** The last stream that was asked for on a connection. */
  private readonly streams = new WeakMap<Socket, ServerResponse>();
  private readonly cuts: Counter<'reason'>;

  constructor(
    metrics: MetricsRegistry,
    private readonly logger: ServiceLogger,
  ) {
    this.cuts = metrics.counter<'reason'>({
      name: METRIC_NAMES.httpPipelinesCutTotal,
      help: 'Connections cut for requests sent without waiting for answers; reason is behind_stream, or too_many at a time',
      labels: ['reason'],
    });
  }

  /**
   * Whether a request is served, told once for each, as soon as its head is there. One that is not is answered by nobody:
   * its connection is gone.
   */
  admit(request: FastifyRequest, reply: FastifyReply): boolean {
    const { socket } = request.raw;
    // What came in one packet is handed out to its end, also when the connection was cut in the middle.
    if (socket.destroyed) return false;
    if (isWaiting(reply.raw)) {
      const line = this.lineOf(socket);
      const reason = this.reasonToCut(socket, line);
      if (reason !== undefined) {
        this.cut(request, reason);
        return false;
      }
      line.add(reply.raw);
      reply.raw.once('socket', () => line.delete(reply.raw));
    }
    if (request.routeOptions.config?.longLived === true && request.method !== 'HEAD') {
      this.streams.set(socket, reply.raw);
    }
    return true;
  }

  /** Calls back when it is the turn of an answer: at once as a rule, never when its connection goes before. */
  inTurn(response: ServerResponse, begin: () => void): void {
    if (!isWaiting(response)) {
      begin();
      return;
    }
    // Node is in the middle of handing over the connection.
    response.once('socket', (socket: Socket) => process.nextTick(() => !socket.destroyed && begin()));
  }

  private lineOf(socket: Socket): Set<ServerResponse> {
    const known = this.waiting.get(socket);
    if (known) return known;
    const line = new Set<ServerResponse>();
    this.waiting.set(socket, line);
    socket.once('close', () => line.forEach(closeUnanswered));
    return line;
  }

  private reasonToCut(socket: Socket, line: ReadonlySet<ServerResponse>): CutReason | undefined {
    const stream = this.streams.get(socket);
    if (stream !== undefined && !stream.writableEnded) return 'behind_stream';
    return line.size >= MAX_PIPELINED_REQUESTS ? 'too_many' : undefined;
  }

  private cut(request: FastifyRequest, reason: CutReason): void {
    this.cuts.inc({ reason });
    const { id: requestId, routeOptions } = request;
    this.logger.info('pipelined requests cut', { requestId, route: routeOptions.url, reason });
    request.raw.socket.destroy();
  }
}

/** Injected requests have no connection, and need none. */
function isWaiting(response: ServerResponse): boolean {
  return response.socket === null && response.req.socket instanceof Socket;
}

/** Gives an answer a connection that is gone, so that Node itself tells all who wait for its end. */
function closeUnanswered(response: ServerResponse): void {
  const gone = new Socket().destroy();
  response.assignSocket(gone);
}
