/** What a socket is closed with. `retryable`: the same connection attempt may succeed later. */
export interface CloseCode {
  readonly code: number;
  /** The reason in the close frame, and the metric's label. */
  readonly reason: string;
  readonly retryable: boolean;
  readonly description: string;
}

/** Every way in which the server closes a socket, by its reason. Codes are stable: clients rest on them. */
export const CLOSE_CODES = {
  protocol_error: {
    code: 1002,
    reason: 'protocol_error',
    retryable: false,
    description: 'The bytes are no WebSocket frames.',
  },
  unsupported_data: {
    code: 1003,
    reason: 'unsupported_data',
    retryable: false,
    description: 'A binary message came; this address speaks text.',
  },
  invalid_text: {
    code: 1007,
    reason: 'invalid_text',
    retryable: false,
    description: 'A text message was not valid UTF-8.',
  },
  policy: {
    code: 1008,
    reason: 'policy',
    retryable: false,
    description: 'Too many messages in succession could not be understood, or one came in too many fragments.',
  },
  message_too_big: {
    code: 1009,
    reason: 'message_too_big',
    retryable: false,
    description: 'A message was larger than 64 KiB.',
  },
  internal: {
    code: 1011,
    reason: 'internal',
    retryable: true,
    description: 'A fault of the server.',
  },
  shutting_down: {
    code: 1012,
    reason: 'shutting_down',
    retryable: true,
    description: 'The process stops; connect again at once and resume from the last cursor.',
  },
  unavailable: {
    code: 1013,
    reason: 'unavailable',
    retryable: true,
    description: 'Past events cannot be read now; resume from the last cursor a little later.',
  },
  token_expired: {
    code: 4001,
    reason: 'token_expired',
    retryable: false,
    description:
      'The credential of this connection has expired; connect with a new one and resume from the last cursor.',
  },
  revoked: {
    code: 4003,
    reason: 'revoked',
    retryable: false,
    description: 'The credential of this connection was revoked.',
  },
  slow_subscriber: {
    code: 4008,
    reason: 'slow_subscriber',
    retryable: true,
    description: 'The client did not read what was sent, or not fast enough; resume from the last cursor.',
  },
  rate_limited: {
    code: 4029,
    reason: 'rate_limited',
    retryable: true,
    description: 'Messages came faster than allowed.',
  },
} as const satisfies Record<string, CloseCode>;

export type CloseReason = keyof typeof CLOSE_CODES;
