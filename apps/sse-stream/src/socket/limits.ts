/** Every bound of the socket doors. Times are in milliseconds, sizes in bytes. */
export const SOCKET_LIMITS = {
  /** How often connections are looked at for everything below that depends on time; times may be late by this much. */
  sweepMs: 1_000,
  /** A peer is pinged this often. One that sent nothing at all since the last ping is gone. */
  pingIntervalMs: 30_000,
  /**
   * A socket that takes nothing for so long while something waits for it is closed as slow; so is a subscription whose
   * waiting events find no credit for so long.
   */
  stallTimeoutMs: 30_000,
  /** How long a peer may take to read what is left and to answer the close frame; then the socket is destroyed. */
  endGraceMs: 5_000,

  /** Frames of one connection that come in, pings and pongs included. */
  messagesPerSecond: 100,
  messageBurst: 500,
  /** Messages in succession that could not be understood; one more closes the connection. */
  faultyMessages: 20,

  /** Nothing is taken from subscriptions, and nothing read, while more waits for the socket. */
  outputBytes: 64 * 1024,
  /** Frames up to this size together are copied into one; larger ones go out as fragments, uncopied. */
  joinedBytes: 64 * 1024,
  /** Batches that one subscription writes before the other connections get their turn. */
  batchesPerTurn: 4,

  /** Subscriptions of one connection. */
  subscriptions: 32,
  /** Events that a subscription may be sent at first, unless it says otherwise. */
  initialCredit: 256,
  /** Most events that a subscription may have been granted and not been sent. */
  maxCredit: 10_000,

  /** Most subscribers that are named in one message; beyond that they are only counted. */
  presentShown: 200,
} as const;

export type SocketLimits = { readonly [name in keyof typeof SOCKET_LIMITS]: number };

/** Largest message that is read; the HTTP server, which accepts the sockets, enforces it. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
