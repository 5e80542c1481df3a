import type { NatsAddress } from '@sluice/nats-connection';
import type { AttachmentStart } from './attachment';

/** How much the stream keeps; whichever bound is met first discards the oldest runs. */
export interface StreamRetention {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly maxMessages: number;
}

/** What happened, for counters and histograms. */
export type JetStreamMetric =
  | { readonly kind: 'connection'; readonly connected: boolean }
  | {
      readonly kind: 'published';
      readonly events: number;
      readonly messages: number;
      readonly bytes: number;
      readonly durationMs: number;
      readonly outcome: 'ok' | 'failed';
    }
  | { readonly kind: 'received'; readonly events: number; readonly bytes: number }
  | { readonly kind: 'follower_attached'; readonly start: AttachmentStart };

export interface JetStreamDeliveryLogOptions extends NatsAddress {
  readonly stream: string;
  readonly subject: string;
  readonly retention: StreamRetention;
  /** Copies of the stream in a NATS cluster; 1 by default. */
  readonly replicas?: number;
  /** Largest message, in bytes; the server's own limit applies as well. */
  readonly maxPayloadBytes?: number;
  /** Longest wait for the acknowledgement of one message. */
  readonly publishTimeoutMs?: number;
  /** Told of every fault that is survived without help: lost connections, a missing stream, malformed messages. Must not throw. */
  onFault?(error: unknown): void;
  /** Must not throw. */
  onMetric?(metric: JetStreamMetric): void;
}

/** How long `openJetStreamDeliveryLog` waits for its first attempt to end before it resolves anyway. */
export const OPEN_WAIT_MS = 3_000;

/** How long `follow` waits for its first attachment before it rejects. */
export const FOLLOW_WAIT_MS = 3_000;

/** Waits between attempts to connect or to attach a follower: they grow with the outage, between these bounds. */
export const RETRY_DELAY_MS = { minimum: 50, maximum: 2_000 } as const;

/** Longest wait for an answer of the JetStream API. */
export const API_TIMEOUT_MS = 2_000;

/** Longest wait for a clean end of the connection. */
export const DRAIN_TIMEOUT_MS = 2_000;

export const PUBLISH_TIMEOUT_MS = 5_000;

/** Default of `maxPayloadBytes`: below the 1 MiB that servers allow by default, headers included. */
export const MAX_PAYLOAD_BYTES = 900 * 1024;

/** Room for subject, headers and reply subject within a server's payload limit. */
export const HEADER_ALLOWANCE_BYTES = 512;

/** Most unacknowledged messages of one `publish`. */
export const PUBLISH_WINDOW_MESSAGES = 16;

/** Most unacknowledged messages of one connection; above it `publish` rejects. */
export const MAX_UNACKNOWLEDGED_MESSAGES = 4_096;

/** Within this window the server recognises a message that was published twice. */
export const DUPLICATE_WINDOW_MS = 120_000;

/** An attachment that lasted this long was sound: the next trouble starts with the shortest wait. */
export const STABLE_ATTACHMENT_MS = 5_000;

/** How often the server speaks on an idle follower's subject. */
export const IDLE_HEARTBEAT_MS = 1_000;

/** Silence after which a follower attaches anew. */
export const SILENCE_LIMIT_MS = 2_500;
