import type { Operation } from '@sluice/api-description';
import { agentRoutes } from './agent-routes';
import { cronRoutes } from './cron-routes';
import { groupChatRoutes } from './group-chat-routes';
import { groupMessageRoutes } from './group-message-routes';
import { sessionRoutes } from './session-routes';
import { taskRoutes } from './task-routes';

const ROUTES: readonly Readonly<Record<string, { readonly operation: Operation }>>[] = [
  taskRoutes,
  sessionRoutes,
  agentRoutes,
  groupChatRoutes,
  groupMessageRoutes,
  cronRoutes,
];

/** Every HTTP operation of this app. */
export const workspaceOperations: readonly Operation[] = ROUTES.flatMap((routes) => Object.values(routes)).map(
  ({ operation }) => operation,
);
