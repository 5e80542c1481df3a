import { streamScopeSchema } from '@sluice/access';
import { ERROR_TABLE, type ErrorCode } from '@sluice/event-log';
import {
  MAX_NAME_LENGTH,
  recordedEventSchema,
  safeNameSchema,
  timestampMsSchema,
  WORKSPACE_CHANNELS,
  workspaceIdSchema,
} from '@sluice/event-schema';
import { z } from 'zod';
import { MAX_CURSOR_LENGTH, RESET_REASONS } from '../cursors';
import { SOCKET_LIMITS } from './limits';

const MAX_SUBSCRIPTION_ID_LENGTH = 64;
const MAX_PRESENCE_NAME_LENGTH = 64;
const MAX_ERROR_TEXT_LENGTH = 300;

const ERROR_CODES = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];

const cursorSchema = z.string().max(MAX_CURSOR_LENGTH).meta({ description: 'Resuming from it continues right after.' });
const startSchema = z
  .string()
  .max(MAX_CURSOR_LENGTH)
  .meta({ description: '`earliest`, `latest`, or a cursor of any door.' });
const resetReasonSchema = z.enum(RESET_REASONS).meta({ description: 'Why the cursor could not be honoured.' });
const errorCodeSchema = z.enum(ERROR_CODES);
const errorTextSchema = z.string().max(MAX_ERROR_TEXT_LENGTH);

// `/v1/socket`

/** Names a subscription within its connection. */
export const subscriptionIdSchema = safeNameSchema
  .max(MAX_SUBSCRIPTION_ID_LENGTH)
  .meta({ description: 'The client’s own name for the subscription, unique within the connection.' });

/** What a subscription is to show: fields are combined by AND, the values of one by OR; absent means any. */
const socketFilterSchema = streamScopeSchema.extend({
  workspaceId: workspaceIdSchema
    .optional()
    .meta({ description: 'Absent: the caller’s own; operators have none and name one.' }),
});

/** Takes part in a group of the caller's workspace, and is told who else does. */
const presenceRequestSchema = z.strictObject({
  group: safeNameSchema.max(MAX_PRESENCE_NAME_LENGTH),
  name: z
    .string()
    .regex(
      new RegExp(`^[^\\p{C}\\p{Zl}\\p{Zp}]{1,${MAX_PRESENCE_NAME_LENGTH}}$`, 'u'),
      `must have 1 to ${MAX_PRESENCE_NAME_LENGTH} printable characters`,
    )
    .max(MAX_PRESENCE_NAME_LENGTH)
    .meta({ description: 'How the others see this subscriber.' }),
});

export const subscribeMessageSchema = z.strictObject({
  type: z.literal('subscribe'),
  id: subscriptionIdSchema,
  filter: socketFilterSchema.optional(),
  cursor: startSchema.optional(),
  credit: z
    .int()
    .min(0)
    .max(SOCKET_LIMITS.maxCredit)
    .optional()
    .meta({ description: `Events that may be sent before more is granted; ${SOCKET_LIMITS.initialCredit} if absent.` }),
  presence: presenceRequestSchema.optional(),
});

export const creditMessageSchema = z.strictObject({
  type: z.literal('credit'),
  id: subscriptionIdSchema,
  events: z.int().min(1).max(SOCKET_LIMITS.maxCredit).meta({ description: 'So many events more may be sent.' }),
});

export const unsubscribeMessageSchema = z.strictObject({ type: z.literal('unsubscribe'), id: subscriptionIdSchema });

export const pingMessageSchema = z.strictObject({ type: z.literal('ping') });

/** Everything that a client may say at `/v1/socket`. */
export const socketClientMessageSchema = z.discriminatedUnion('type', [
  subscribeMessageSchema,
  creditMessageSchema,
  unsubscribeMessageSchema,
  pingMessageSchema,
]);

export const helloMessageSchema = z.strictObject({
  type: z.literal('hello'),
  limits: z.strictObject({
    messageBytes: z.int(),
    messagesPerSecond: z.int(),
    subscriptions: z.int(),
    initialCredit: z.int(),
    maxCredit: z.int(),
    pingIntervalMs: z.int(),
    stallTimeoutMs: z.int(),
  }),
});

export const subscribedMessageSchema = z.strictObject({
  type: z.literal('subscribed'),
  id: subscriptionIdSchema,
  cursor: cursorSchema.meta({ description: 'Where the subscription really begins: after this.' }),
  reset: z
    .strictObject({ reason: resetReasonSchema })
    .optional()
    .meta({ description: 'Present when the requested cursor could not be honoured.' }),
});

export const eventsMessageSchema = z.strictObject({
  type: z.literal('events'),
  id: subscriptionIdSchema,
  cursor: cursorSchema,
  events: z
    .array(recordedEventSchema)
    .meta({ description: 'In position order. Empty: only the cursor has moved, as other events went by.' }),
});

export const caughtUpMessageSchema = z.strictObject({
  type: z.literal('caught_up'),
  id: subscriptionIdSchema,
  cursor: cursorSchema,
});

export const resetMessageSchema = z.strictObject({
  type: z.literal('reset'),
  id: subscriptionIdSchema,
  reason: resetReasonSchema,
  cursor: cursorSchema.meta({ description: 'What follows begins after it; what lies between is not told.' }),
});

export const presenceMessageSchema = z.strictObject({
  type: z.literal('presence'),
  id: subscriptionIdSchema,
  memberId: z.string().meta({ description: 'Which of those present this subscription is.' }),
  total: z.int().min(0).meta({ description: 'How many are present, also beyond those that are named.' }),
  present: z
    .array(z.strictObject({ memberId: z.string(), name: z.string(), since: timestampMsSchema }))
    .max(SOCKET_LIMITS.presentShown),
});

export const endedMessageSchema = z.strictObject({
  type: z.literal('ended'),
  id: subscriptionIdSchema,
  code: errorCodeSchema,
  message: errorTextSchema,
  retryable: z.boolean(),
  cursor: cursorSchema,
});

export const unsubscribedMessageSchema = z.strictObject({ type: z.literal('unsubscribed'), id: subscriptionIdSchema });

export const pongMessageSchema = z.strictObject({ type: z.literal('pong') });

export const errorMessageSchema = z.strictObject({
  type: z.literal('error'),
  code: errorCodeSchema,
  message: errorTextSchema,
  retryable: z.boolean(),
  where: z.string().max(MAX_ERROR_TEXT_LENGTH).optional(),
  id: subscriptionIdSchema.optional().meta({ description: 'The subscription that the faulty message named.' }),
  retryAfterMs: z.int().min(0).optional(),
});

/** Everything that the server says at `/v1/socket`. */
export const socketServerMessageSchema = z.discriminatedUnion('type', [
  helloMessageSchema,
  subscribedMessageSchema,
  eventsMessageSchema,
  caughtUpMessageSchema,
  resetMessageSchema,
  presenceMessageSchema,
  endedMessageSchema,
  unsubscribedMessageSchema,
  pongMessageSchema,
  errorMessageSchema,
]);

export type PresenceRequest = z.infer<typeof presenceRequestSchema>;
export type SubscribeMessage = z.infer<typeof subscribeMessageSchema>;
export type SocketClientMessage = z.infer<typeof socketClientMessageSchema>;
/** What is written message by message; events are spliced from their recorded bytes. */
export type SocketServerMessage = Exclude<z.infer<typeof socketServerMessageSchema>, { type: 'events' }>;

// `/ws`

const channelSchema = z.enum(WORKSPACE_CHANNELS);
const channelsSchema = z.strictObject({
  channels: z.array(channelSchema).max(2 * WORKSPACE_CHANNELS.length),
});

export const workspacePingSchema = z.strictObject({ type: z.literal('Ping'), data: z.unknown().optional() });
export const workspaceSubscribeSchema = z.strictObject({ type: z.literal('Subscribe'), data: channelsSchema });
export const workspaceUnsubscribeSchema = z.strictObject({ type: z.literal('Unsubscribe'), data: channelsSchema });

/** Everything that a client may say at `/ws`, besides the bare text `ping`. */
export const workspaceClientMessageSchema = z.discriminatedUnion('type', [
  workspacePingSchema,
  workspaceSubscribeSchema,
  workspaceUnsubscribeSchema,
]);

export const workspacePongSchema = z.strictObject({ type: z.literal('Pong') });

/** First, and only to a client that named a cursor: where its events begin. */
export const workspaceConnectedSchema = z.strictObject({
  type: z.literal('Connected'),
  data: z.strictObject({ cursor: cursorSchema }),
});

export const workspaceSubscribedSchema = z.strictObject({
  type: z.literal('Subscribed'),
  data: channelsSchema.meta({ description: 'All channels that are held now.' }),
});

export const workspaceUnsubscribedSchema = z.strictObject({
  type: z.literal('Unsubscribed'),
  data: channelsSchema.meta({ description: 'The channels that are still held; none means all events.' }),
});

export const workspaceEventSchema = z.strictObject({
  type: z.literal('Event'),
  data: z.strictObject({
    channel: channelSchema,
    payload: z.strictObject({
      type: z.string().max(MAX_NAME_LENGTH).meta({ description: 'The document name, for example `TaskCreated`.' }),
      data: z.looseObject({ timestamp: z.iso.datetime() }),
    }),
    cursor: cursorSchema,
  }),
});

export const workspaceResetSchema = z.strictObject({
  type: z.literal('Reset'),
  data: z.strictObject({ reason: resetReasonSchema, cursor: cursorSchema }),
});

export const workspaceErrorSchema = z.strictObject({
  type: z.literal('Error'),
  data: z.strictObject({ message: errorTextSchema, code: errorCodeSchema, where: z.string().optional() }),
});

/** Everything that the server says at `/ws`. */
export const workspaceServerMessageSchema = z.discriminatedUnion('type', [
  workspacePongSchema,
  workspaceConnectedSchema,
  workspaceSubscribedSchema,
  workspaceUnsubscribedSchema,
  workspaceEventSchema,
  workspaceResetSchema,
  workspaceErrorSchema,
]);

/** What is written message by message; events have their bytes from `workspaceEventFrame`. */
export type WorkspaceServerMessage = Exclude<z.infer<typeof workspaceServerMessageSchema>, { type: 'Event' }>;

/** Text for an error message, however long what it speaks of is. */
export function boundedText(text: string): string {
  return text.length <= MAX_ERROR_TEXT_LENGTH ? text : `${text.slice(0, MAX_ERROR_TEXT_LENGTH - 1)}…`;
}
