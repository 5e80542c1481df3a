import { sandboxEventSchema } from '@sluice/event-schema';
import { z } from 'zod';

/** What goes over this port, in the form of `ChannelDescription` of api-description. */

const text = 'text/plain';
const name = 'pubsub-tcp';

const cursorSchema = z.string().meta({ description: 'A cursor of any door.' });

/** The JSON of an event, in a line or in the payload of a message. */
const eventSchema = sandboxEventSchema.extend({ cursor: cursorSchema });

const line = (pattern: RegExp) => z.string().regex(pattern);

const receive = (summary: string, payload: z.ZodType) =>
  ({ summary, payload, direction: 'receive', contentType: text }) as const;
const send = (summary: string, payload: z.ZodType) =>
  ({ summary, payload, direction: 'send', contentType: text }) as const;

const resetSchema = z.object({
  reset: z.object({
    cursor: cursorSchema,
    reason: z.enum(['epoch_changed', 'future_cursor', 'no_longer_kept']),
  }),
});

/** The two dialects of the port. Lines are shown without their CR LF. */
export const pubSubTcpChannels = [
  {
    name: `${name}.lines`,
    address: '{sandboxId}',
    app: 'pubsub-tcp',
    protocol: 'tcp',
    summary: 'The line protocol: the events of one sandbox on one connection.',
    description:
      'Chosen by a first byte other than `*`. Each line ends by CR LF; commands are read in any case. See docs/protocol/tcp.md.',
    messages: {
      subscribe: receive('Begins: a sandbox, a credential, and from where.', line(/^SUBSCRIBE \S+ \S+( \S+)?$/)),
      resume: receive('From where the next SUBSCRIBE begins.', line(/^RESUME \S+$/)),
      unsubscribe: receive('Ends the subscription, not the connection.', line(/^UNSUBSCRIBE$/)),
      ping: receive('Asks for a word.', line(/^PING$/)),
      quit: receive('Ends the connection.', line(/^QUIT$/)),
      ok: send('A command was carried out.', line(/^\+OK( .*)?$/)),
      pong: send('Answers PING.', line(/^\+PONG$/)),
      event: {
        summary: 'An event of the sandbox.',
        payload: eventSchema,
        direction: 'send',
      },
      cursor: send('Nothing came by for a while; resume from here.', line(/^\+CURSOR \S+$/)),
      reset: send('The cursor could not be honoured; events follow from here.', line(/^\+RESET \S+ \S+$/)),
      error: send('The last line: a code, a text, and the cursor to resume from.', line(/^-ERR .*$/)),
    },
  },
  {
    name: `${name}.resp`,
    address: 'sandbox:{sandboxId}',
    app: 'pubsub-tcp',
    protocol: 'tcp',
    summary: 'RESP2 and RESP3: any Redis client subscribes to channels and patterns.',
    description:
      'Chosen by the first byte `*`. A channel is `<sandboxId>` or `sandbox:<sandboxId>`, with `@<cursor>` behind it to resume. See docs/protocol/tcp.md.',
    messages: {
      subscribe: receive(
        'SUBSCRIBE or PSUBSCRIBE with channels or patterns.',
        z.array(z.string()).min(2).meta({ description: 'The words of the command.' }),
      ),
      message: {
        summary: 'The payload of a message: an event of the channel.',
        payload: eventSchema,
        direction: 'send',
      },
      reset: {
        summary: 'The payload of a message: the cursor of the channel could not be honoured.',
        payload: resetSchema,
        direction: 'send',
      },
      error: send(
        'An error reply; after a subscription has ended, the last one, with the cursor to resume from.',
        line(/^-[A-Z]+ .*$/),
      ),
    },
  },
] as const;
