/** Why a value cannot be put into a frame. */
export type SseEncodeErrorCode = 'invalid-event' | 'invalid-id' | 'invalid-json' | 'invalid-retry';

/** The caller gave a value that would break the frame. The message repeats nothing of the value. */
export class SseEncodeError extends Error {
  override readonly name = 'SseEncodeError';

  constructor(readonly code: SseEncodeErrorCode) {
    super(`not possible in a server-sent event: ${code}`);
  }
}
