import type { Operation } from '@sluice/api-description';
import { agentRoutes } from './agent-routes';
import { callbackOperation } from './callback-door';
import { credentialRoutes } from './credential-routes';
import { engineRoutes } from './engine-routes';
import { environmentRoutes } from './environment-routes';
import { eventRoutes } from './event-routes';
import { fileRoutes } from './file-routes';
import { resourceRoutes } from './resource-routes';
import { sessionRoutes } from './session-routes';
import { streamRoutes } from './stream-door';
import { threadRoutes } from './thread-routes';
import { vaultRoutes } from './vault-routes';

/** Every HTTP operation of this app. */
export const sessionsOperations: readonly Operation[] = [
  sessionRoutes,
  eventRoutes,
  streamRoutes,
  threadRoutes,
  resourceRoutes,
  agentRoutes,
  environmentRoutes,
  vaultRoutes,
  credentialRoutes,
  fileRoutes,
  engineRoutes,
]
  .flatMap((routes) => Object.values<{ readonly operation: Operation }>(routes).map(({ operation }) => operation))
  .concat(callbackOperation);
