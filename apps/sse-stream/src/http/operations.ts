import { mintStreamTokenRequestSchema } from '@sluice/access';
import { defineOperation, type Operation } from '@sluice/api-description';
import { registryErrorSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { REGISTRY_PATH } from './registry/registry-door';
import { registryInfoSchema, registryQuerySchema } from './registry/registry-schemas';
import { commonQuery } from './request-parts';
import { mintedStreamTokenSchema } from './stream-tokens/stream-token-door';
import { streamQuerySchema } from './stream/stream-request';
import { workspaceQuerySchema } from './workspace/workspace-request';

const eventStream = { 'text/event-stream': 'stream' } as const;
const json = 'application/json';

const streaming = { app: 'sse-stream', tag: 'Streaming', access: 'key_or_token' } as const;
const registry = { ...streaming, tag: 'Registry events', errorBody: registryErrorSchema } as const;
const sockets = { ...streaming, method: 'GET', tag: 'WebSocket' } as const;

const lastEventIdHeader = z.object({
  'Last-Event-ID': z.string().optional().meta({ description: 'A cursor; goes before those of the query.' }),
});

const ENDS =
  'The stream ends with the event `end`, which says why and where to resume; a cursor that cannot be honoured is answered by the event `reset`.';

const NO_UPGRADE = { description: 'The request asked for no upgrade.' };

/** Every HTTP operation of this app, the upgrades to WebSocket too. */
export const sseStreamOperations: readonly Operation[] = [
  defineOperation({
    ...streaming,
    method: 'GET',
    path: '/v1/stream',
    summary: 'Recorded events of every family, live',
    description: `Server-sent events by any filter, from any cursor on. ${ENDS}`,
    parameters: { query: streamQuerySchema, headers: lastEventIdHeader },
    responses: { 200: { description: 'The stream; see the channel `stream`.', content: eventStream } },
  }),
  defineOperation({
    ...registry,
    method: 'GET',
    path: REGISTRY_PATH,
    summary: 'Events of the registries, live',
    description: `Server-sent events. Nothing in the query is an error unless \`strict=true\`. ${ENDS} After its longest time it ends without a word.`,
    parameters: { query: registryQuerySchema, headers: lastEventIdHeader },
    responses: { 200: { description: 'The stream; see the channel `registry-events`.', content: eventStream } },
  }),
  defineOperation({
    ...registry,
    method: 'HEAD',
    path: REGISTRY_PATH,
    summary: 'The head of the stream of registry events',
    responses: { 200: { description: 'The headers of the stream.' } },
  }),
  defineOperation({
    ...registry,
    method: 'GET',
    path: `${REGISTRY_PATH}/info`,
    summary: 'What events of the registries there are, and how to filter them',
    responses: { 200: { description: 'The types and filters.', content: { [json]: registryInfoSchema } } },
  }),
  defineOperation({
    ...streaming,
    method: 'GET',
    path: '/api/events',
    tag: 'Workspace events',
    summary: 'Everything that happens in a workspace, live',
    description: `Server-sent events in one of three forms. ${ENDS}`,
    parameters: { query: workspaceQuerySchema, headers: lastEventIdHeader },
    responses: { 200: { description: 'The stream; see the channel `workspace-events`.', content: eventStream } },
  }),
  defineOperation({
    app: 'sse-stream',
    method: 'POST',
    path: '/v1/stream-tokens',
    tag: 'Streaming',
    access: 'key',
    summary: 'A short-lived token that opens streams only',
    description: 'For browsers, as `?token=`. API keys make them; it shows a part of what the key may see.',
    body: { [json]: mintStreamTokenRequestSchema },
    responses: {
      201: {
        description: 'The token.',
        content: {
          [json]: mintedStreamTokenSchema,
        },
      },
    },
  }),
  defineOperation({
    ...sockets,
    path: '/ws',
    summary: 'Everything that happens in a workspace, by WebSocket',
    parameters: { query: workspaceQuerySchema.omit({ format: true }), headers: lastEventIdHeader },
    responses: { 101: { description: 'The upgrade; see the channel `workspace-socket`.' }, 426: NO_UPGRADE },
  }),
  defineOperation({
    ...sockets,
    path: '/v1/socket',
    summary: 'Several subscriptions by any filter on one WebSocket, with credit',
    parameters: { query: z.object({ token: commonQuery.token }) },
    responses: { 101: { description: 'The upgrade; see the channel `socket`.' }, 426: NO_UPGRADE },
  }),
];
