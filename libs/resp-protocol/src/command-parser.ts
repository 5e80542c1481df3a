import { ByteReader } from './byte-reader';
import { DEFAULT_COMMAND_LIMITS, MAX_HEADER_BYTES, type CommandLimits } from './limits';
import { protocolError, type ProtocolError } from './protocol-error';
import { decodeUtf8, hasControlCharacter, parseLength, toAsciiUpperCase } from './text';

const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const CRLF_BYTES = 2;

/** What the client of a connection speaks: CRLF lines, or RESP arrays of bulk strings. */
export type Dialect = 'line' | 'resp';

/** One command of a client. */
export interface Command {
  readonly kind: 'command';
  readonly dialect: Dialect;
  /** The first word, ASCII letters in upper case. */
  readonly name: string;
  /** The other words, as sent. */
  readonly args: readonly string[];
}

/** What {@link CommandParser.feed} gives. An error is the last output of a parser. */
export type CommandOutput = Command | ProtocolError;

/**
 * Server side of one connection: bytes in, commands out. The first byte tells the dialect for good: `*` is RESP, anything else is lines.
 * The outputs depend on the bytes alone, never on how they are cut into chunks. Nothing throws on any input.
 */
export class CommandParser {
  #limits: CommandLimits;
  readonly #reader = new ByteReader();
  #dialect: Dialect | undefined;
  #failed = false;
  #words: string[] = [];
  #wordsExpected = 0;
  #bulkBytes: number | undefined;
  /** Bytes already read of the unfinished RESP command. */
  #commandBytes = 0;

  constructor(limits: Partial<CommandLimits> = {}) {
    this.#limits = { ...DEFAULT_COMMAND_LIMITS, ...limits };
  }

  /** Undefined before the first byte. */
  get dialect(): Dialect | undefined {
    return this.#dialect;
  }

  /** Whether an error was given or the parser closed: every later byte is ignored. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Wire bytes of the unfinished command; at most `maxCommandBytes`, or `maxLineBytes` + 1 for lines. */
  get bufferedBytes(): number {
    return this.#commandBytes + this.#reader.length;
  }

  /** Other bounds from the next command on; those that are not named stay. Call it between commands. */
  setLimits(limits: Partial<CommandLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
  }

  /** Takes the next bytes and gives the commands that they complete, then perhaps the error that ends the parser. */
  feed(chunk: Uint8Array): CommandOutput[] {
    const outputs: CommandOutput[] = [];
    this.push(chunk);
    for (let output = this.next(); output !== undefined; output = this.next()) outputs.push(output);
    return outputs;
  }

  /** Takes the next bytes, to be read by {@link next}. They must not change until that gives undefined. */
  push(chunk: Uint8Array): void {
    if (!this.#failed) this.#reader.push(chunk);
  }

  /**
   * The next command, or the error that ends the parser, or undefined when the bytes complete none. For callers whose
   * limits depend on what a command did, and who keep the bytes behind it unread until they know.
   */
  next(): CommandOutput | undefined {
    if (this.#failed) return undefined;
    const output = this.#next();
    if (output === undefined) this.#reader.settle();
    if (output?.kind === 'error') this.close();
    return output;
  }

  /** Forgets everything; every later byte is ignored. */
  close(): void {
    this.#failed = true;
    this.#reset();
    this.#reader.clear();
  }

  #next(): CommandOutput | undefined {
    const first = this.#reader.peek();
    if (first === undefined) return undefined;
    this.#dialect ??= first === ASTERISK ? 'resp' : 'line';
    return this.#dialect === 'line' ? this.#nextLine() : this.#nextArray();
  }

  /** Blank lines are skipped. */
  #nextLine(): CommandOutput | undefined {
    const { maxLineBytes, maxWords } = this.#limits;
    for (;;) {
      const line = this.#reader.readLine(maxLineBytes);
      if (line === undefined) return undefined;
      if (line === 'too-long') return protocolError('line-too-long', `line longer than ${maxLineBytes} bytes`);
      const text = decodeUtf8(line);
      if (text === undefined) return protocolError('invalid-utf8', 'line is not valid UTF-8');
      if (hasControlCharacter(text)) {
        return protocolError('control-character', 'control character in a line; lines end by CRLF');
      }
      const words = text.split(' ').filter((word) => word !== '');
      if (words.length > maxWords) return protocolError('too-many-words', `more than ${maxWords} words`);
      if (words.length > 0) return toCommand('line', words);
    }
  }

  #nextArray(): CommandOutput | undefined {
    for (;;) {
      const step = this.#bulkBytes === undefined ? this.#readHeader() : this.#readBulk(this.#bulkBytes);
      if (step === 'pending') return undefined;
      if (step !== 'read') return step;
      if (this.#wordsExpected > 0 && this.#words.length === this.#wordsExpected) {
        const command = toCommand('resp', this.#words);
        this.#reset();
        return command;
      }
    }
  }

  #readHeader(): 'read' | 'pending' | ProtocolError {
    const { maxWords, maxBulkBytes, maxCommandBytes } = this.#limits;
    const opensCommand = this.#wordsExpected === 0;
    const type = this.#reader.peek();
    if (type !== undefined && type !== (opensCommand ? ASTERISK : DOLLAR)) {
      return opensCommand
        ? protocolError('expected-array', 'expected an array')
        : protocolError('expected-bulk', 'expected a bulk string');
    }
    const budget = maxCommandBytes - this.#commandBytes - CRLF_BYTES;
    const header = this.#reader.readLine(Math.min(budget, MAX_HEADER_BYTES));
    if (header === undefined) return 'pending';
    if (header === 'too-long') {
      return budget < MAX_HEADER_BYTES ? this.#commandTooLong() : protocolError('header-too-long', 'length too long');
    }
    this.#commandBytes += header.length + CRLF_BYTES;
    const length = parseLength(header.toString('latin1', 1));
    if (length === undefined) return protocolError('bad-length', 'invalid length');
    if (opensCommand) {
      if (length === 0) return protocolError('bad-length', 'empty command');
      if (length > maxWords) return protocolError('too-many-words', `more than ${maxWords} words`);
      this.#wordsExpected = length;
      return 'read';
    }
    if (length > maxBulkBytes) return protocolError('bulk-too-long', `bulk string longer than ${maxBulkBytes} bytes`);
    if (this.#commandBytes + length + CRLF_BYTES > maxCommandBytes) return this.#commandTooLong();
    this.#bulkBytes = length;
    return 'read';
  }

  #readBulk(length: number): 'read' | 'pending' | ProtocolError {
    const bytes = this.#reader.readBytes(length + CRLF_BYTES);
    if (bytes === undefined) return 'pending';
    if (bytes.toString('latin1', length) !== '\r\n') {
      return protocolError('missing-terminator', 'bulk string does not end by CRLF');
    }
    const word = decodeUtf8(bytes.subarray(0, length));
    if (word === undefined) return protocolError('invalid-utf8', 'bulk string is not valid UTF-8');
    this.#words.push(word);
    this.#commandBytes += bytes.length;
    this.#bulkBytes = undefined;
    return 'read';
  }

  #commandTooLong(): ProtocolError {
    return protocolError('command-too-long', `command longer than ${this.#limits.maxCommandBytes} bytes`);
  }

  #reset(): void {
    this.#words = [];
    this.#wordsExpected = 0;
    this.#bulkBytes = undefined;
    this.#commandBytes = 0;
  }
}

function toCommand(dialect: Dialect, words: readonly string[]): Command {
  const [name = '', ...args] = words;
  return { kind: 'command', dialect, name: toAsciiUpperCase(name), args };
}
