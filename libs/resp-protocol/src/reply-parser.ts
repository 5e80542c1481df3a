import { ByteReader } from './byte-reader';
import { DEFAULT_REPLY_LIMITS, MAX_HEADER_BYTES, type ReplyLimits } from './limits';
import { protocolError, type ProtocolError } from './protocol-error';
import type { Reply } from './reply';
import { parseScalar } from './reply-scalar';
import { parseLength } from './text';

const CRLF_BYTES = 2;
const SCALARS = '+-:_,#({';
const BULKS = '$!=';
const AGGREGATES = '*~>%|';

/** What {@link ReplyParser.feed} gives. An error is the last output of a parser. */
export type ReplyOutput = { readonly kind: 'reply'; readonly reply: Reply } | ProtocolError;

interface Frame {
  readonly type: string;
  readonly size: number;
  readonly items: Reply[];
}

/**
 * Client side of one connection, for both dialects: RESP2 and RESP3 replies, and the JSON lines of the line dialect as `event`.
 * Attributes are read and dropped; streamed strings and aggregates of unknown size are an error, since no server here sends them.
 * Same promises as the command parser: independent of chunking, bounded, never throws, dead after an error.
 */
export class ReplyParser {
  readonly #limits: ReplyLimits;
  readonly #reader = new ByteReader();
  #failed = false;
  #open: Frame[] = [];
  #bulk: { readonly type: string; readonly length: number } | undefined;
  #replyBytes = 0;
  #elements = 0;

  constructor(limits: Partial<ReplyLimits> = {}) {
    this.#limits = { ...DEFAULT_REPLY_LIMITS, ...limits };
  }

  /** Wire bytes of the unfinished reply; at most `maxReplyBytes`. */
  get bufferedBytes(): number {
    return this.#replyBytes + this.#reader.length;
  }

  /** Takes the next bytes and gives the replies that they complete, then perhaps the error that ends the parser. */
  feed(chunk: Uint8Array): ReplyOutput[] {
    const outputs: ReplyOutput[] = [];
    if (this.#failed) return outputs;
    this.#reader.push(chunk);
    for (let output = this.#next(); output !== undefined; output = this.#next()) {
      outputs.push(output);
      if (output.kind === 'error') this.#failed = true;
      this.#open = [];
      this.#bulk = undefined;
      this.#replyBytes = this.#elements = 0;
      if (this.#failed) {
        this.#reader.clear();
        break;
      }
    }
    this.#reader.settle();
    return outputs;
  }

  #next(): ReplyOutput | undefined {
    for (;;) {
      const step = this.#bulk === undefined ? this.#readLine() : this.#readBulk(this.#bulk);
      if (step === 'pending') return undefined;
      if (step === 'opened') continue;
      if ('kind' in step) return step;
      const reply = this.#attach(step);
      if (reply !== undefined) return { kind: 'reply', reply };
    }
  }

  #readLine(): Reply | 'opened' | 'pending' | ProtocolError {
    const first = this.#reader.peek();
    if (first === undefined) return 'pending';
    const type = String.fromCharCode(first);
    const isScalar = SCALARS.includes(type);
    if (!isScalar && !BULKS.includes(type) && !AGGREGATES.includes(type)) {
      return protocolError('unknown-type', 'unknown reply type');
    }
    const budget = this.#limits.maxReplyBytes - this.#replyBytes - CRLF_BYTES;
    const maxLineBytes = isScalar ? this.#limits.maxLineBytes : MAX_HEADER_BYTES;
    const line = this.#reader.readLine(Math.min(budget, maxLineBytes));
    if (line === undefined) return 'pending';
    if (line === 'too-long') {
      return budget < maxLineBytes ? this.#replyTooLong() : protocolError('line-too-long', 'line too long');
    }
    this.#replyBytes += line.length + CRLF_BYTES;
    if (++this.#elements > this.#limits.maxElements) {
      return protocolError('too-many-elements', `more than ${this.#limits.maxElements} elements`);
    }
    const text = line.toString('utf8', 1);
    if (isScalar) return parseScalar(type, text) ?? protocolError('bad-value', 'invalid value');
    if (text === '-1' && (type === '$' || type === '*')) return { type: 'null', value: null };
    const length = parseLength(text);
    if (length === undefined) return protocolError('bad-length', 'invalid length');
    return BULKS.includes(type) ? this.#openBulk(type, length) : this.#openAggregate(type, length);
  }

  #openBulk(type: string, length: number): 'opened' | ProtocolError {
    const { maxBulkBytes, maxReplyBytes } = this.#limits;
    if (length > maxBulkBytes) return protocolError('bulk-too-long', `bulk string longer than ${maxBulkBytes} bytes`);
    if (this.#replyBytes + length + CRLF_BYTES > maxReplyBytes) return this.#replyTooLong();
    this.#bulk = { type, length };
    return 'opened';
  }

  #openAggregate(type: string, count: number): Reply | 'opened' | ProtocolError {
    const { maxDepth, maxElements } = this.#limits;
    const size = type === '%' || type === '|' ? count * 2 : count;
    if (size > maxElements) return protocolError('too-many-elements', `more than ${maxElements} elements`);
    if (size === 0) return type === '|' ? 'opened' : toAggregate(type, []);
    if (this.#open.length >= maxDepth) return protocolError('too-deep', `nested deeper than ${maxDepth}`);
    this.#open.push({ type, size, items: [] });
    return 'opened';
  }

  #readBulk({ type, length }: { type: string; length: number }): Reply | 'pending' | ProtocolError {
    const bytes = this.#reader.readBytes(length + CRLF_BYTES);
    if (bytes === undefined) return 'pending';
    this.#replyBytes += bytes.length;
    this.#bulk = undefined;
    if (bytes.toString('latin1', length) !== '\r\n') {
      return protocolError('missing-terminator', 'bulk string does not end by CRLF');
    }
    // A copy: the reader's bytes are only lent.
    if (type === '$') return { type: 'bulk', value: Buffer.from(bytes.subarray(0, length)) };
    const text = bytes.toString('utf8', 0, length);
    if (type === '!') return { type: 'error', value: text };
    if (text[3] !== ':') return protocolError('bad-value', 'verbatim string without a format');
    return { type: 'verbatim', format: text.slice(0, 3), value: text.slice(4) };
  }

  /** Puts a finished value into the innermost open aggregate; gives the reply once the outermost is complete. */
  #attach(value: Reply): Reply | undefined {
    let finished = value;
    for (;;) {
      const frame = this.#open[this.#open.length - 1];
      if (frame === undefined) return finished;
      frame.items.push(finished);
      if (frame.items.length < frame.size) return undefined;
      this.#open.pop();
      if (frame.type === '|') return undefined;
      finished = toAggregate(frame.type, frame.items);
    }
  }

  #replyTooLong(): ProtocolError {
    return protocolError('reply-too-long', `reply longer than ${this.#limits.maxReplyBytes} bytes`);
  }
}

function toAggregate(type: string, items: readonly Reply[]): Reply {
  if (type === '*') return { type: 'array', value: items };
  if (type === '~') return { type: 'set', value: items };
  if (type === '>') return { type: 'push', value: items };
  const entries: (readonly [Reply, Reply])[] = [];
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [key, value] = items.slice(at, at + 2);
    if (key !== undefined && value !== undefined) entries.push([key, value]);
  }
  return { type: 'map', value: entries };
}
