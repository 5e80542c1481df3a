export { sseStreamSettings, toSseStreamConfig, type SseStreamConfig } from './config';
export { createSseStreamPart } from './sse-stream-part';
