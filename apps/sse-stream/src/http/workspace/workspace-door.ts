import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StreamOpener } from '@sluice/event-streams';
import type { StreamDoorPorts } from '../stream-door-ports';
import { workspaceDialects } from './workspace-dialects';
import { readWorkspaceRequest } from './workspace-request';

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
} as const;

/** What is promised at this door, however the others are set. */
const MAX_HEARTBEAT_MS = 15_000;

/** `GET /api/events`: everything that happens in the caller's workspace, in one of three forms. */
export class WorkspaceDoor {
  private readonly opener: StreamOpener;

  constructor(private readonly ports: StreamDoorPorts) {
    this.opener = new StreamOpener(ports);
  }

  register(fastify: FastifyInstance): void {
    fastify.get('/api/events', {
      config: { longLived: true },
      handler: (request, reply) => this.handle(request, reply),
    });
  }

  private async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { gatekeeper, config } = this.ports;
    const principal = await gatekeeper.admit(request, { queryToken: true, loopback: true });
    const { filter, start, format } = readWorkspaceRequest(request.query, request.headers, principal);
    const dialect = workspaceDialects[format];
    const heartbeatMs = Math.min(config.heartbeatMs, MAX_HEARTBEAT_MS);
    await this.opener.open({ principal, filter, start, dialect, headers: HEADERS, heartbeatMs }, reply);
  }
}
