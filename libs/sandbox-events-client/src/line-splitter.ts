import { MAX_LINE_BYTES } from './constants';
import { EventsPubSubError } from './errors';

const EMPTY = Buffer.alloc(0);
const CRLF = '\r\n';

/** Cuts bytes into lines that end with CRLF. Works on bytes, so a character may be spread over two chunks. */
export class LineSplitter {
  private buffer: Buffer = EMPTY;
  /** Where the search for the next CRLF goes on, so that a long line is not searched twice. */
  private searched = 0;

  constructor(private readonly maxLineBytes: number = MAX_LINE_BYTES) {}

  /** Adds bytes. The caller stops reading while lines wait here, which bounds what is kept. */
  push(chunk: Buffer): void {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
  }

  /** The next whole line without its CRLF; undefined when there is none. Throws EventsPubSubError for a line too long. */
  next(): string | undefined {
    const end = this.buffer.indexOf(CRLF, this.searched);
    if ((end === -1 ? this.buffer.length : end) > this.maxLineBytes) {
      this.buffer = EMPTY;
      this.searched = 0;
      throw new EventsPubSubError(`Buffer overflow: a line is longer than ${this.maxLineBytes} bytes`, {
        code: 'line_too_long',
      });
    }
    if (end === -1) {
      this.searched = Math.max(0, this.buffer.length - 1);
      return undefined;
    }
    const line = this.buffer.toString('utf8', 0, end);
    this.buffer = this.buffer.subarray(end + CRLF.length);
    this.searched = 0;
    return line;
  }
}
