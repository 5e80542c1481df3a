export { MAX_UNREAD_BESIDE_BYTES, type WriteBeside } from './event-stream';
export { boundedSpreadMs, OpenStreams, type OpenStream } from './open-streams';
export {
  cursorFrame,
  endFrame,
  eventFrames,
  heartbeatFrame,
  resetFrame,
  type MoreFields,
  type SseDialect,
  type StreamBeginning,
} from './sse-dialect';
export { STREAM_END_CODES, type StreamEndCode } from './stream-ends';
export {
  StreamOpener,
  type CallerWatch,
  type HeldReply,
  type StreamPacing,
  type StreamPlan,
  type StreamPorts,
} from './stream-opener';
export type { StreamEnd, StreamSignals } from './stream-signals';
