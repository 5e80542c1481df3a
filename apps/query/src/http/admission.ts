import { RouteConfig } from '@nestjs/platform-fastify';
import type { Principal } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Largest body of a request to administration, in bytes: a thousand ids are a third of it. */
export const MAX_ADMIN_BODY_BYTES = 65_536;

type Door = 'reading' | 'administration';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is of the query app, which lets nobody in unknown. */
    queryDoor?: Door;
  }
}

/** Marks a handler of Nest: whoever calls it is known before its body is read. */
export const AdmitsTo = (queryDoor: Door) => RouteConfig({ queryDoor });

/** Turns strangers away from the marked routes before their body is read. To be called before the routes are registered. */
export function admitFirst(fastify: FastifyInstance, gatekeeper: HttpGatekeeper): void {
  fastify.addHook('onRoute', (route) => {
    const door = route.config?.queryDoor;
    if (door === undefined) return;
    if (door === 'administration') route.bodyLimit = MAX_ADMIN_BODY_BYTES;
    route.onRequest = async (request: FastifyRequest) => {
      request.principal = await gatekeeper.admit(request);
    };
  });
}

/** Who is calling a marked route. @throws SluiceError `unauthorized` on a route that is not marked. */
export function callerOf({ principal }: FastifyRequest): Principal {
  if (principal === undefined) throw new SluiceError('unauthorized', 'API key or access token required');
  return principal;
}
