export { socketChannels } from './channels/socket-channels';
export { sseChannels } from './channels/sse-channels';
export { sseStreamSettings, toSseStreamConfig, type SseStreamConfig } from './config';
export { sseStreamOperations } from './http/operations';
export { createSseStreamPart } from './sse-stream-part';
