import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StreamOpener } from '@sluice/event-streams';
import type { StreamDoorPorts } from '../stream-door-ports';
import { streamDialect } from './stream-dialect';
import { readStreamRequest } from './stream-request';

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** `GET /v1/stream`: everything that the caller may see, by any filter, from any cursor on. */
export class StreamDoor {
  private readonly opener: StreamOpener;

  constructor(private readonly ports: StreamDoorPorts) {
    this.opener = new StreamOpener(ports);
  }

  register(fastify: FastifyInstance): void {
    fastify.get('/v1/stream', {
      config: { longLived: true },
      handler: (request, reply) => this.handle(request, reply),
    });
  }

  private async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { gatekeeper, config } = this.ports;
    const principal = await gatekeeper.admit(request, { queryToken: true });
    const { filter, start } = readStreamRequest(request.query, request.headers['last-event-id'], principal);
    const { heartbeatMs } = config;
    await this.opener.open({ principal, filter, start, dialect: streamDialect, headers: HEADERS, heartbeatMs }, reply);
  }
}
