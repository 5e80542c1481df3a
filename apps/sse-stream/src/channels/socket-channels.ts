import { defineChannel, type ChannelDescription, type ChannelMessage } from '@sluice/api-description';
import { z } from 'zod';
import { commonQuery } from '../http/request-parts';
import { workspaceQuerySchema } from '../http/workspace/workspace-request';
import * as messages from '../socket/messages';

const ws = { app: 'sse-stream', protocol: 'ws' } as const;

const receive = (summary: string, payload: z.ZodType): ChannelMessage => ({ summary, payload, direction: 'receive' });
const send = (summary: string, payload: z.ZodType): ChannelMessage => ({ summary, payload, direction: 'send' });

const workspaceSocket = defineChannel({
  ...ws,
  name: 'workspace-socket',
  address: '/ws',
  summary: 'Everything that happens in a workspace, by channels; the same events in the same order as `/api/events`.',
  description: 'A connection that subscribes to no channel gets all of them. See docs/protocol/websocket.md.',
  query: workspaceQuerySchema.omit({ format: true }),
  messages: {
    Ping: receive('Asks for a Pong. The bare text `ping` does too.', messages.workspacePingSchema),
    Subscribe: receive('Adds channels.', messages.workspaceSubscribeSchema),
    Unsubscribe: receive('Leaves channels.', messages.workspaceUnsubscribeSchema),
    Pong: send('Answers Ping.', messages.workspacePongSchema),
    Connected: send(
      'First, to a client that named a cursor: where its events begin.',
      messages.workspaceConnectedSchema,
    ),
    Subscribed: send('Answers Subscribe.', messages.workspaceSubscribedSchema),
    Unsubscribed: send('Answers Unsubscribe.', messages.workspaceUnsubscribedSchema),
    Event: send('An event of the workspace.', messages.workspaceEventSchema),
    Reset: send(
      'The cursor could not be honoured; what follows begins after the one in here.',
      messages.workspaceResetSchema,
    ),
    Error: send('A message could not be understood; the connection goes on.', messages.workspaceErrorSchema),
  },
});

const socket = defineChannel({
  ...ws,
  name: 'socket',
  address: '/v1/socket',
  query: z.object({ token: commonQuery.token }),
  summary: 'Several subscriptions on one connection, by any filter, each with a cursor, credit and presence.',
  description:
    'Events are recorded events of any family, in lists. Events sent never exceed the credit that was granted. See docs/protocol/websocket.md.',
  messages: {
    subscribe: receive('Begins a subscription.', messages.subscribeMessageSchema),
    credit: receive('Grants credit to a subscription.', messages.creditMessageSchema),
    unsubscribe: receive('Ends a subscription.', messages.unsubscribeMessageSchema),
    ping: receive('Asks for a pong.', messages.pingMessageSchema),
    hello: send('The first message: the limits in force.', messages.helloMessageSchema),
    subscribed: send('A subscription has begun.', messages.subscribedMessageSchema),
    events: send('Events of a subscription.', messages.eventsMessageSchema),
    caught_up: send('Everything from before the subscription has been sent.', messages.caughtUpMessageSchema),
    reset: send('The numbering changed; what follows begins after the cursor in here.', messages.resetMessageSchema),
    presence: send('Who is present in the group of a subscription.', messages.presenceMessageSchema),
    ended: send('A subscription has ended; the connection goes on.', messages.endedMessageSchema),
    unsubscribed: send('Answers unsubscribe.', messages.unsubscribedMessageSchema),
    pong: send('Answers ping.', messages.pongMessageSchema),
    error: send('A message could not be carried out.', messages.errorMessageSchema),
  },
});

/** The streams by WebSocket. */
export const socketChannels: readonly ChannelDescription[] = [workspaceSocket, socket];
