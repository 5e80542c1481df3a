import { mintStreamTokenRequestSchema, type AccessControl } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SseStreamSignals } from '../../signals';

/** What is answered. */
export const mintedStreamTokenSchema = z.object({
  token: z.string().meta({ description: 'For `?token=`, or as a bearer, at the doors of streams.' }),
  expiresAt: z.int().meta({ description: 'When it ends, in milliseconds since 1970.' }),
});

export interface StreamTokenPorts {
  readonly access: AccessControl;
  readonly gatekeeper: HttpGatekeeper;
  readonly signals: SseStreamSignals;
}

/**
 * `POST /v1/stream-tokens`: the holder of an API key gets a token that opens streams only, of a part of what the key may
 * see, for a while. Browsers can put no headers on an EventSource, and an address is no place for a key.
 */
export class StreamTokenDoor {
  constructor(private readonly ports: StreamTokenPorts) {}

  register(fastify: FastifyInstance): void {
    fastify.post('/v1/stream-tokens', async (request, reply) => this.mint(request, reply));
  }

  private async mint(request: FastifyRequest, reply: FastifyReply): Promise<z.infer<typeof mintedStreamTokenSchema>> {
    const { access, gatekeeper, signals } = this.ports;
    const principal = await gatekeeper.admit(request);
    const wanted = validate(mintStreamTokenRequestSchema, request.body === undefined ? {} : request.body, 'body');
    const { accessToken, expiresAt } = await access.mintStreamToken(principal, wanted);
    if (principal.kind === 'api_key') {
      const { keyId, workspaceId } = principal;
      signals.tokenMinted({ keyId, workspaceId: wanted.workspaceId ?? workspaceId, expiresAt });
    }
    void reply.code(201);
    return { token: accessToken, expiresAt };
  }
}
