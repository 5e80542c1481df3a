/** Every bound of this door. Times are in milliseconds, sizes in bytes. */
export const PUBSUB_LIMITS = {
  /** How often connections are looked at for everything below that depends on time; times may be late by this much. */
  sweepMs: 1_000,
  /** A connection without accepted credentials is ended after this; also a line connection without a subscription. */
  authenticationTimeoutMs: 10_000,
  /** Failed AUTH or HELLO commands of one RESP connection. */
  authenticationFailures: 5,
  /** A line subscriber that was sent nothing for so long is sent its cursor. */
  heartbeatMs: 15_000,
  /** First TCP keepalive probe on an idle connection. */
  keepAliveMs: 60_000,
  /** A subscriber whose socket takes nothing for so long is ended as slow. */
  stallTimeoutMs: 30_000,
  /** How long the last bytes of an ended connection may take to leave. */
  flushGraceMs: 30_000,
  /** How long an ended connection waits, after its last byte has left, for the peer to close. */
  lingerMs: 2_000,
  /** How long a stop waits for the connections that it has ended. */
  stopGraceMs: 5_000,
  /** TLS handshake. */
  handshakeTimeoutMs: 10_000,

  /** Commands of one connection. */
  commandsPerSecond: 1_000,
  commandBurst: 2_000,
  /** Words of one command; a SUBSCRIBE names at most so many channels less one. */
  maxWords: 1_024,
  /** The same, and the bytes, before anybody is admitted: AUTH and HELLO fit, and strangers make us keep no more. */
  strangerWords: 16,
  strangerCommandBytes: 16 * 1024,

  /** Channels and patterns of one RESP connection. */
  channels: 100,
  /** Patterns among them: each is matched with every event of the workspace. */
  patterns: 10,
  /** Bytes that wait for one channel of a RESP connection. Above one burst of the feed, or a burst would end it. */
  channelQueuedBytes: 512 * 1024,
  clientNameLength: 64,

  /** Batches that one subscription writes before the other connections get their turn. */
  batchesPerTurn: 4,
  /** Frames up to this size together are copied into one; larger ones go out as they are. */
  joinedBytes: 64 * 1024,
  /** Connections beyond the maximum that may be told so at one time; further ones are closed without a word. */
  refusals: 1_000,
} as const;

export type PubSubLimits = { readonly [name in keyof typeof PUBSUB_LIMITS]: number };
