import { defineOperation, type Operation } from '@sluice/api-description';
import { recordedEventSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { keyPathSchema, newKeySchema, workspaceQuerySchema } from './admin-keys.controller';
import { parkedQuerySchema, replaySchema } from './admin-parked.controller';
import { tokenRequestSchema } from './admin-tokens.controller';
import { entitiesQuerySchema, sandboxQuerySchema } from './entities.controller';
import { agentOperations } from './agents/operations';
import { eventPathSchema, eventsQuerySchema } from './events.controller';
import * as answers from './responses';
import { sandboxEventsQuerySchema, sandboxPathSchema } from './sandbox-events.controller';
import { statsQuerySchema } from './stats.controller';
import { deliveriesQuerySchema, webhookPathSchema } from './webhook-deliveries.controller';

const json = 'application/json';
const reading = { app: 'query', tag: 'Reading', access: 'key' } as const;
const administration = { app: 'query', tag: 'Administration', access: 'key' } as const;

const ok = (description: string, schema: z.ZodType) => ({ description, content: { [json]: schema } });

/** Every operation of this app. */
export const queryOperations: readonly Operation[] = [
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/events/{sandboxId}',
    summary: 'The events of one sandbox',
    description: 'In the dialect of the sandbox clients. A page may be short and still have a next one.',
    parameters: { path: sandboxPathSchema, query: sandboxEventsQuerySchema },
    responses: { 200: ok('A page.', answers.sandboxEventPageSchema) },
  }),
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/v1/events',
    summary: 'Recorded events of every family',
    description:
      'A page may be short, or empty, and still have a next one. As CloudEvents when Accept says so; the next cursor is in X-Next-Cursor then.',
    parameters: { query: eventsQuerySchema },
    responses: {
      200: {
        description: 'A page.',
        content: {
          [json]: answers.eventPageSchema,
          'application/cloudevents-batch+json': z.array(answers.servedCloudEventSchema),
        },
      },
    },
  }),
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/v1/events/{eventId}',
    summary: 'One recorded event',
    parameters: { path: eventPathSchema },
    responses: {
      200: {
        description: 'The event.',
        content: { [json]: recordedEventSchema, 'application/cloudevents+json': answers.servedCloudEventSchema },
      },
      404: { description: 'There is none, or it is of another workspace.' },
    },
  }),
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/v1/entities',
    summary: 'What events are about',
    parameters: { query: entitiesQuerySchema },
    responses: { 200: ok('A page.', answers.entityPageSchema) },
  }),
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/v1/sandboxes/{sandboxId}',
    summary: 'What is known of the activity of a sandbox',
    parameters: { path: sandboxPathSchema, query: sandboxQuerySchema },
    responses: { 200: ok('Its activity.', answers.sandboxActivitySchema), 404: { description: 'It has no events.' } },
  }),
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/v1/stats',
    summary: 'How far the read model is',
    description: 'An operator need not name a workspace, and is told of the whole platform.',
    parameters: { query: statsQuerySchema },
    responses: { 200: ok('The newest position, with its cursor.', answers.statsSchema) },
  }),
  ...agentOperations,
  defineOperation({
    ...reading,
    method: 'GET',
    path: '/v1/webhook-deliveries/{endpointId}',
    summary: 'What an endpoint of webhooks was sent, and what it answered',
    description:
      'The newest first. A line is kept for some days, the newest 10,000 of an endpoint at most (`SLUICE_WEBHOOK_KEEP_DELIVERIES` of the webhooks app).',
    parameters: { path: webhookPathSchema, query: deliveriesQuerySchema },
    responses: {
      200: ok('A page.', answers.deliveryPageSchema),
      404: { description: 'There is none, or it is of another workspace.' },
    },
  }),
  defineOperation({
    ...administration,
    access: 'operator',
    method: 'GET',
    path: '/v1/admin/lag',
    summary: 'How far the read model is behind the durable log',
    responses: { 200: ok('The lag of each lane.', answers.lagSchema) },
  }),
  defineOperation({
    ...administration,
    method: 'POST',
    path: '/v1/admin/keys',
    summary: 'Make an API key',
    description:
      'For admins. The key has the limits of the one that makes it and ends no later; only operators say limits.',
    body: { [json]: newKeySchema },
    responses: {
      201: ok('The key, with its text.', answers.createdKeySchema),
      409: { description: 'The workspace has its most keys in force.' },
    },
  }),
  defineOperation({
    ...administration,
    method: 'GET',
    path: '/v1/admin/keys',
    summary: 'The API keys of a workspace',
    description: 'For admins. The newest 1000, revoked ones too, without their texts.',
    parameters: { query: workspaceQuerySchema },
    responses: { 200: ok('The keys.', answers.keysSchema) },
  }),
  defineOperation({
    ...administration,
    method: 'DELETE',
    path: '/v1/admin/keys/{keyId}',
    summary: 'Revoke an API key',
    description:
      'For admins. It ends the open streams of the key too, within seconds. An operator need not name a workspace.',
    parameters: { path: keyPathSchema, query: workspaceQuerySchema },
    responses: { 200: ok('It is revoked.', answers.revokedKeySchema), 404: { description: 'No such key in force.' } },
  }),
  defineOperation({
    ...administration,
    method: 'POST',
    path: '/v1/admin/tokens',
    summary: 'Make an access token for one sandbox',
    description: 'For admins.',
    body: { [json]: tokenRequestSchema },
    responses: { 201: ok('The token.', answers.mintedTokenSchema) },
  }),
  defineOperation({
    ...administration,
    method: 'GET',
    path: '/v1/admin/parked',
    summary: 'Records that could not become events',
    description: 'For admins; an operator need not name a workspace. Values are shown up to 4 KiB.',
    parameters: { query: parkedQuerySchema },
    responses: { 200: ok('A page.', answers.parkedPageSchema) },
  }),
  defineOperation({
    ...administration,
    method: 'POST',
    path: '/v1/admin/parked/replay',
    summary: 'Put parked records back into the durable log',
    description: 'For admins; an operator need not name a workspace. Harmless when repeated.',
    body: { [json]: replaySchema },
    responses: { 200: ok('What became of each.', answers.replayReportSchema) },
  }),
];
