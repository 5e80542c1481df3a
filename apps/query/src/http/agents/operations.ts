import { defineOperation, type Operation } from '@sluice/api-description';
import { registryErrorSchema } from '@sluice/event-schema';
import type { z } from 'zod';
import { agentEventPageSchema, agentPageSchema, feedbackPageSchema, oneAgentSchema } from './agent-answers';
import { AGENTS_PATH } from './agents-door';
import { agentEventsQuerySchema, agentPathSchema, agentsQuerySchema, feedbackQuerySchema } from './agents-query';

const agents = {
  app: 'query',
  method: 'GET',
  tag: 'Agents',
  access: 'key',
  errorBody: registryErrorSchema,
} as const;

const ok = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': schema },
});

const NO_AGENT = { description: 'There is no such agent.', content: { 'application/json': registryErrorSchema } };

/** The operations of the doors of agents. */
export const agentOperations: readonly Operation[] = [
  defineOperation({
    ...agents,
    path: AGENTS_PATH,
    summary: 'The agents of all registries',
    description: 'Every condition that is given has to be met. What is registered is the same for every key.',
    parameters: { query: agentsQuerySchema },
    responses: { 200: ok('A page.', agentPageSchema) },
  }),
  defineOperation({
    ...agents,
    path: `${AGENTS_PATH}/{agentId}`,
    summary: 'One agent',
    parameters: { path: agentPathSchema },
    responses: { 200: ok('The agent.', oneAgentSchema), 404: NO_AGENT },
  }),
  defineOperation({
    ...agents,
    path: `${AGENTS_PATH}/{agentId}/feedback`,
    summary: 'What was said about an agent',
    description: 'The newest first: feedback of the reputation registry, and attestations.',
    parameters: { path: agentPathSchema, query: feedbackQuerySchema },
    responses: { 200: ok('A page.', feedbackPageSchema), 404: NO_AGENT },
  }),
  defineOperation({
    ...agents,
    path: `${AGENTS_PATH}/{agentId}/events`,
    summary: 'The events of an agent',
    description:
      'As the stream of registry events shows them. Also of an agent that is gone. A page may be short and still have a next one.',
    parameters: { path: agentPathSchema, query: agentEventsQuerySchema },
    responses: { 200: ok('A page.', agentEventPageSchema) },
  }),
];
