import { z } from 'zod';
import { spawnSchema, stopSchema, type AgentCommands } from '../agents/agent-commands';
import { AGENT_TYPES } from '../agents/agent-types';
import { idPath } from './fields';
import { defineRoute } from './route';
import type { WorkspaceDoor } from './workspace-door';

const tag = 'agents';

const statusOf = <const S extends string>(status: S) => z.object({ session_id: z.string(), status: z.literal(status) });

export const agentRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/api/agents',
    tag,
    summary: 'List the agents that can be spawned',
    answer: z.object({ agents: z.array(z.object({ id: z.string() })) }),
  }),
  spawn: defineRoute({
    method: 'POST',
    path: '/api/agents/{id}/spawn',
    tag,
    summary: 'Let an agent work on a prompt',
    description:
      'In the session that is named, or in a new one. The answers and the end of the work are events of the session. ' +
      'The id is one of `GET /api/agents`, in any case.',
    params: idPath,
    body: spawnSchema,
    answer: statusOf('spawned'),
    refusals: {
      404: 'There is no such agent; an event `agent_error` tells of it.',
      409: 'An agent works in the session.',
    },
  }),
  stop: defineRoute({
    method: 'POST',
    path: '/api/agents/{id}/stop',
    tag,
    summary: 'End the work of an agent in a session',
    params: idPath,
    body: stopSchema,
    answer: statusOf('cancelled'),
    refusals: { 404: 'There is no such agent or session.', 409: 'No agent works in the session.' },
  }),
};

export function openAgents(door: WorkspaceDoor, agents: AgentCommands): void {
  door.on(agentRoutes.list, async () => ({ body: { agents: AGENT_TYPES.map((id) => ({ id })) } }));
  door.on(agentRoutes.spawn, async ({ scope, params, body }) => {
    const { value, isPending } = await agents.spawn(scope, params.id, body);
    return { body: { session_id: value.sessionId, status: 'spawned' }, isPending };
  });
  door.on(agentRoutes.stop, async ({ scope, params, body }) => {
    const { value, isPending } = await agents.stop(scope, params.id, body.session_id);
    return { body: { session_id: value.sessionId, status: 'cancelled' }, isPending };
  });
}
