export { encodeComment, encodeCursorMark, encodeEvent, encodeJsonEvent, encodeRetry, type SseEvent } from './encode';
export { SseEncodeError, type SseEncodeErrorCode } from './encode-error';
export { DEFAULT_MAX_EVENT_BYTES, SseParser, type SseOutput, type SseParserOptions } from './parser';
