/** Why a value cannot be put on the wire. */
export type EncodeErrorCode = 'not-an-integer' | 'not-one-line-json-object';

/** The caller gave a value that would break the framing: a fault of the program, not of the peer. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';

  constructor(readonly code: EncodeErrorCode) {
    super(code);
  }
}
