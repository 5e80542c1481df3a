import { defineChannel, type ChannelDescription, type ChannelMessage } from '@sluice/api-description';
import {
  EVENT_FAMILIES,
  recordedEventSchema,
  REGISTRY_EVENT_TYPES,
  registryEventDataSchema,
  shownRegistryFields,
  WORKSPACE_EVENT_TYPES,
  workspaceDocumentName,
  workspaceEventDataSchema,
  type WorkspaceEventType,
} from '@sluice/event-schema';
import { z } from 'zod';
import { REGISTRY_PATH } from '../http/registry/registry-door';
import { registryQuerySchema } from '../http/registry/registry-schemas';
import { streamQuerySchema } from '../http/stream/stream-request';
import { workspaceQuerySchema } from '../http/workspace/workspace-request';
import { endedSchema, registryResetSchema, resetSchema } from './words';

const sse = { app: 'sse-stream', protocol: 'sse' } as const;

const FRAMES =
  'A message is one frame: `event:` its name, `data:` one line of JSON, `id:` the cursor. See docs/protocol/sse.md.';

const timestampSchema = z.iso.datetime().meta({ description: 'When it happened: ISO 8601 in UTC.' });

const send = (summary: string, payload: z.ZodType): ChannelMessage => ({ summary, payload, direction: 'send' });

/** What the server says beside events; `more` is what a dialect adds to it. */
const words = (more: z.ZodRawShape = {}, reset: z.ZodObject = resetSchema): Record<string, ChannelMessage> => ({
  reset: send('The cursor could not be honoured; what follows begins after the one in here.', reset.extend(more)),
  end: send('The last message of a stream that the client did not close.', endedSchema.extend(more)),
});

/** An object of these fields alone. */
function only(schema: z.ZodObject, fields: readonly string[]): z.ZodObject {
  return z.object(Object.fromEntries(Object.entries(schema.shape).filter(([field]) => fields.includes(field))));
}

/** The fields of an object but one, which is ours alone. */
function without(schema: z.ZodObject, internal: string): z.ZodObject {
  if (!Object.hasOwn(schema.shape, internal)) return schema;
  return only(
    schema,
    Object.keys(schema.shape).filter((field) => field !== internal),
  );
}

const stream = defineChannel({
  ...sse,
  name: 'stream',
  address: '/v1/stream',
  summary: 'Recorded events of every family, by any filter.',
  description: `${FRAMES} What has a \`position\` is an event, whatever its type is called; what has none is a word of the server.`,
  query: streamQuerySchema,
  families: EVENT_FAMILIES,
  messages: {
    event: send('A recorded event of any type, also of those that are not listed.', recordedEventSchema),
    ...words(),
  },
});

const now = timestampSchema.meta({ description: 'When it was sent: ISO 8601 in UTC.' });

const registryEvents = defineChannel({
  ...sse,
  name: 'registry-events',
  address: REGISTRY_PATH,
  summary: 'Events of the registries of agents, with the fields of their types.',
  description: `${FRAMES} \`connected\` and \`heartbeat\` have no id; a block of an id alone says where the client is.`,
  query: registryQuerySchema,
  messages: {
    ...words({ type: z.enum(['reset', 'end']), timestamp: now }, registryResetSchema),
    connected: send(
      'The first message.',
      z.object({
        type: z.literal('connected'),
        subscriptionId: z.string(),
        filters: z.record(z.string(), z.unknown()).meta({ description: 'The query as it was understood.' }),
        timestamp: now,
      }),
    ),
    heartbeat: send(
      'Comes at every interval.',
      z.object({
        type: z.literal('heartbeat'),
        timestamp: now,
        sequence: z.int().meta({ description: 'Messages before this one.' }),
      }),
    ),
    ...Object.fromEntries(
      REGISTRY_EVENT_TYPES.map((type) => {
        const fields = only(registryEventDataSchema(type), shownRegistryFields(type)).shape;
        const payload = z.object({ type: z.literal(type), ...fields, timestamp: timestampSchema });
        return [type, send(`An event \`${type}\`.`, payload)];
      }),
    ),
  },
});

const workspaceEvents = defineChannel({
  ...sse,
  name: 'workspace-events',
  address: '/api/events',
  summary: 'Everything that happens in a workspace.',
  description: `${FRAMES} \`format\` chooses the form: \`document\` has the names in capitals, \`core\` and \`envelope\` the others.`,
  query: workspaceQuerySchema,
  messages: {
    ...words(),
    ...Object.fromEntries(WORKSPACE_EVENT_TYPES.flatMap((type) => workspaceMessages(type))),
  },
});

function workspaceMessages(type: WorkspaceEventType): readonly (readonly [string, ChannelMessage])[] {
  const name = workspaceDocumentName(type);
  const core = without(workspaceEventDataSchema(type), 'deadline_at');
  const document = z.object({ type: z.literal(name), ...core.shape, timestamp: timestampSchema });
  const envelope = z.object({ type: z.literal(name), data: core });
  return [
    [name, send(`\`${type}\` in the form \`document\`.`, document)],
    [type, send(`\`${type}\` in the forms \`core\` and \`envelope\`.`, z.union([core, envelope]))],
  ];
}

/** The streams by server-sent events. */
export const sseChannels: readonly ChannelDescription[] = [stream, registryEvents, workspaceEvents];
