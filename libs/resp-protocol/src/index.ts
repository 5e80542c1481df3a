export { CommandParser, type Command, type CommandOutput, type Dialect } from './command-parser';
export { readLineCommand, type LineCommand } from './line-command';
export { ReplyParser, type ReplyOutput } from './reply-parser';
export { toPlainReply, type PlainReply, type Reply } from './reply';
export type { ProtocolError, ProtocolErrorCode } from './protocol-error';
export { EncodeError, type EncodeErrorCode } from './encode-error';
export { encodeEventLine, encodeLineError, encodeLineOk, encodeLinePong } from './encode-line';
export {
  encodeArray,
  encodeBulk,
  encodeError,
  encodeInteger,
  encodeMap,
  encodeMessage,
  encodeNull,
  encodePatternMessage,
  encodePong,
  encodePush,
  encodeSimple,
  encodeSubscription,
  MAX_STATUS_LENGTH,
  type RespVersion,
  type SubscriptionKind,
} from './encode-resp';
export { compileGlob, MAX_GLOB_LENGTH, type GlobMatcher } from './glob';
export { DEFAULT_COMMAND_LIMITS, DEFAULT_REPLY_LIMITS, type CommandLimits, type ReplyLimits } from './limits';
