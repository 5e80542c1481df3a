import type { ErrorCode, SluiceError } from '@sluice/event-log';
import type { StreamEnd } from './stream-signals';

/** Every code that a stream may end with, and what metrics call it. A stream with a fault of ours breaks off instead. */
export const STREAM_ENDS = {
  slow_subscriber: 'slow_subscriber',
  too_many_connections: 'too_many_connections',
  token_expired: 'token_expired',
  unauthorized: 'revoked',
  shutting_down: 'shutting_down',
  read_model_unavailable: 'failed',
} as const satisfies { readonly [code in ErrorCode]?: StreamEnd };

export type StreamEndCode = keyof typeof STREAM_ENDS;

export const STREAM_END_CODES = Object.keys(STREAM_ENDS) as [StreamEndCode, ...StreamEndCode[]];

/**
 * What metrics call the end.
 * @throws Error for a code that no subscriber was promised: a fault of ours
 */
export function streamEnd({ code }: SluiceError): StreamEnd {
  if (!isStreamEndCode(code)) throw new Error(`no stream ends with ${code}`);
  return STREAM_ENDS[code];
}

function isStreamEndCode(code: ErrorCode): code is StreamEndCode {
  return Object.hasOwn(STREAM_ENDS, code);
}
