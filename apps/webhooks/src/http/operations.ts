import { defineOperation, type Operation } from '@sluice/api-description';
import type { z } from 'zod';
import * as requests from './schemas';
import * as views from './views';

const json = 'application/json';
const webhooks = { app: 'webhooks', tag: 'Webhooks', access: 'key' } as const;
const ok = (description: string, schema: z.ZodType) => ({ description, content: { [json]: schema } });
const notFound = { description: 'There is none, or it is of another workspace.' };
const one = { path: requests.endpointPathSchema, query: requests.workspaceQuerySchema } as const;

export const createEndpoint = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks',
  summary: 'Be told of events by signed requests',
  description:
    'For writers. Matching events are sent in the order of their positions, each until it is answered with 2xx or given up. Registry events are sent only where the filter names their family.',
  parameters: { query: requests.workspaceQuerySchema },
  body: { [json]: requests.newEndpointSchema },
  responses: {
    201: ok('The endpoint, with its secret.', views.createdEndpointSchema),
    409: { description: 'The workspace has its most endpoints.' },
  },
});

export const listEndpoints = defineOperation({
  ...webhooks,
  method: 'GET',
  path: '/v1/webhooks',
  summary: 'The endpoints of a workspace',
  parameters: { query: requests.endpointsQuerySchema },
  responses: { 200: ok('A page, the oldest first.', views.endpointsSchema) },
});

export const readEndpoint = defineOperation({
  ...webhooks,
  method: 'GET',
  path: '/v1/webhooks/{endpointId}',
  summary: 'One endpoint, and how far it is',
  parameters: one,
  responses: { 200: ok('The endpoint.', views.endpointSchema), 404: notFound },
});

export const changeEndpoint = defineOperation({
  ...webhooks,
  method: 'PATCH',
  path: '/v1/webhooks/{endpointId}',
  summary: 'Change an endpoint',
  description:
    'For writers. A disabled endpoint keeps its place: enabled again it is sent what it missed, and the event that it stopped at has all its attempts again. After another URL or filter what waits is tried again at once, or dropped where the filter excludes it.',
  parameters: one,
  body: { [json]: requests.changedEndpointSchema },
  responses: {
    200: ok('The endpoint.', views.endpointSchema),
    404: notFound,
    409: { description: 'It has no secret to sign by: make a new one first.' },
  },
});

export const removeEndpoint = defineOperation({
  ...webhooks,
  method: 'DELETE',
  path: '/v1/webhooks/{endpointId}',
  summary: 'Remove an endpoint',
  description: 'For writers. With its delivery log and its dead letters.',
  parameters: one,
  responses: { 200: ok('It is gone.', views.removedEndpointSchema), 404: notFound },
});

export const rotateSecret = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks/{endpointId}/rotate-secret',
  summary: 'Make a new secret',
  description:
    'For writers. For a while each request is signed with the former secret too; the one before that does not sign any more.',
  parameters: one,
  responses: { 200: ok('The new secret.', views.rotatedSecretSchema), 404: notFound },
});

export const testEndpoint = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks/{endpointId}/test',
  summary: 'Send a test at once',
  description:
    'For writers. A signed `webhook.ping`, sent once, also to a disabled endpoint: one at a time, ten in a minute. Where it is delivered, what waits to be tried again is due.',
  parameters: one,
  responses: {
    200: ok('What came of it.', views.pingSchema),
    404: notFound,
    409: { description: 'Another test is going on.' },
  },
});

const nothingWaits = { description: 'Nothing waits to be tried again.' };

export const retryEndpoint = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks/{endpointId}/retry',
  summary: 'Try again now',
  description: 'For writers. The next attempt of what waits is due at once.',
  parameters: one,
  responses: { 200: ok('The endpoint.', views.endpointSchema), 404: notFound, 409: nothingWaits },
});

export const skipHead = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks/{endpointId}/skip',
  summary: 'Give up the event that waits',
  description: 'For writers. It is a dead letter from then on, and the endpoint goes on behind it.',
  parameters: one,
  responses: { 200: ok('The endpoint.', views.endpointSchema), 404: notFound, 409: nothingWaits },
});

export const redeliverEvents = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks/{endpointId}/redeliver',
  summary: 'Send events once more, by their ids',
  description:
    'For writers. Events that match the filter now, delivered or not; they are sent like replayed dead letters, and are dead letters until they are delivered.',
  parameters: one,
  body: { [json]: requests.redeliverSchema },
  responses: {
    200: ok('How many wait.', views.redeliveredSchema),
    404: notFound,
    409: { description: 'Too many wait already.' },
  },
});

export const listDeadLetters = defineOperation({
  ...webhooks,
  method: 'GET',
  path: '/v1/webhooks/{endpointId}/dead-letters',
  summary: 'Events that were given up',
  parameters: { path: requests.endpointPathSchema, query: requests.deadLettersQuerySchema },
  responses: { 200: ok('A page, the newest first.', views.deadLettersSchema), 404: notFound },
});

export const replayDeadLetters = defineOperation({
  ...webhooks,
  method: 'POST',
  path: '/v1/webhooks/{endpointId}/dead-letters/replay',
  summary: 'Send dead letters once more',
  description:
    'For writers. Each is sent once, between live events and so not in their order, with the id that it had; one that fails again stays a dead letter, and the others wait by the schedule of retries.',
  parameters: one,
  body: { [json]: requests.replaySchema },
  responses: { 200: ok('How many wait for it.', views.replayedSchema), 404: notFound },
});

export const cancelReplays = defineOperation({
  ...webhooks,
  method: 'DELETE',
  path: '/v1/webhooks/{endpointId}/dead-letters/replay',
  summary: 'Send no dead letter again',
  description: 'For writers. Those that wait stay dead letters.',
  parameters: one,
  responses: { 200: ok('How many waited.', views.cancelledSchema), 404: notFound },
});

/** Every HTTP operation of this app. */
export const webhooksOperations: readonly Operation[] = [
  createEndpoint,
  listEndpoints,
  readEndpoint,
  changeEndpoint,
  removeEndpoint,
  rotateSecret,
  testEndpoint,
  retryEndpoint,
  skipHead,
  redeliverEvents,
  listDeadLetters,
  replayDeadLetters,
  cancelReplays,
];
