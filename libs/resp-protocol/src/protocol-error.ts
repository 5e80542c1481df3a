/** What is wrong with the peer's bytes; stable, for metrics and logs. */
export type ProtocolErrorCode =
  | 'bad-length'
  | 'bad-value'
  | 'bulk-too-long'
  | 'command-too-long'
  | 'control-character'
  | 'expected-array'
  | 'expected-bulk'
  | 'header-too-long'
  | 'invalid-utf8'
  | 'line-too-long'
  | 'missing-terminator'
  | 'reply-too-long'
  | 'too-deep'
  | 'too-many-elements'
  | 'too-many-words'
  | 'unknown-type';

/** The peer broke the protocol. The last output of a parser: what follows on the connection cannot be framed. */
export interface ProtocolError {
  readonly kind: 'error';
  readonly code: ProtocolErrorCode;
  /** One line for people; never holds bytes of the peer. */
  readonly message: string;
}

/** Builds a {@link ProtocolError}. */
export function protocolError(code: ProtocolErrorCode, message: string): ProtocolError {
  return { kind: 'error', code, message };
}
