/** Upper bounds of a {@link CommandParser}. Every size is in bytes on the wire, line ends not counted. */
export interface CommandLimits {
  /** One line of the line dialect. */
  readonly maxLineBytes: number;
  /** Words of one command, its name included. */
  readonly maxWords: number;
  /** One bulk string of the RESP dialect. */
  readonly maxBulkBytes: number;
  /** One whole RESP command with all its framing; the most that is kept for an unfinished one. */
  readonly maxCommandBytes: number;
}

export const DEFAULT_COMMAND_LIMITS: CommandLimits = {
  maxLineBytes: 16 * 1024,
  maxWords: 1024,
  maxBulkBytes: 64 * 1024,
  maxCommandBytes: 128 * 1024,
};

/** Upper bounds of a {@link ReplyParser}, in bytes on the wire and in elements. */
export interface ReplyLimits {
  /** One line: a simple string, an error, a number or a line-dialect event. */
  readonly maxLineBytes: number;
  /** One bulk or verbatim string. */
  readonly maxBulkBytes: number;
  /** One whole top-level reply with all its framing. */
  readonly maxReplyBytes: number;
  /** Elements of one top-level reply, over all its levels. */
  readonly maxElements: number;
  /** Aggregates open inside each other. */
  readonly maxDepth: number;
}

export const DEFAULT_REPLY_LIMITS: ReplyLimits = {
  maxLineBytes: 1024 * 1024,
  maxBulkBytes: 1024 * 1024,
  maxReplyBytes: 4 * 1024 * 1024,
  maxElements: 16 * 1024,
  maxDepth: 8,
};

/** A RESP length header: the type byte and at most ten digits, with room for a sign. */
export const MAX_HEADER_BYTES = 16;
