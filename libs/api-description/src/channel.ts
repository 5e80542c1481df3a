import type { EventFamily } from '@sluice/event-schema';
import type { z } from 'zod';

export type ChannelProtocol = 'sse' | 'ws' | 'tcp';

/** One kind of message of a channel. */
export interface ChannelMessage {
  readonly summary: string;
  /** As Sluice sees it: `send` goes out to the client, `receive` comes in from it. */
  readonly direction: 'send' | 'receive';
  /** What one message is; for SSE the JSON of `data:`, for TCP the command or reply as it is read. */
  readonly payload: z.ZodType;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** One way in which events reach a subscriber. */
export interface ChannelDescription {
  /** Unique among all channels: letters, digits, `-`, `_`, `.`. */
  readonly name: string;
  /** A path (`/v1/stream`) for `sse` and `ws`; a pattern such as `sandbox:{sandboxId}` for `tcp`. */
  readonly address: string;
  readonly app: string;
  readonly protocol: ChannelProtocol;
  readonly summary: string;
  readonly description?: string;
  /** Parameters of the query, for `sse` and `ws`. */
  readonly query?: z.ZodObject;
  /** The families of which events go over this channel. */
  readonly families?: readonly EventFamily[];
  /** By name; names are unique within the channel. */
  readonly messages: Readonly<Record<string, ChannelMessage>>;
}

/** The channel as it is; the compiler checks it where it is written. */
export function defineChannel(channel: ChannelDescription): ChannelDescription {
  return channel;
}
