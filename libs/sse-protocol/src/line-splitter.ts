const CR = 0x0d;
const LF = 0x0a;
const MIN_CAPACITY_BYTES = 64;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts bytes into lines that end by CR, LF or CRLF. A CR ends its line at once; an LF right behind it, even in a later chunk, is its second half.
 * Each byte is looked at once and copied a constant number of times (amortised).
 */
export class LineSplitter {
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #afterCr = false;
  #pending: Buffer = EMPTY;
  #pendingBytes = 0;

  /** Bytes of the unfinished line. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes the next chunk; the one before must be read to its end. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next line without its end, valid until the next call; undefined when the chunk is used up. */
  nextLine(): Uint8Array | undefined {
    const chunk = this.#chunk;
    if (this.#at === chunk.length) return undefined;
    if (this.#afterCr && chunk[this.#at] === LF) this.#at++;
    this.#afterCr = false;
    const start = this.#at;
    let end = start;
    while (end < chunk.length && chunk[end] !== CR && chunk[end] !== LF) end++;
    const part = chunk.subarray(start, end);
    if (end === chunk.length) {
      this.#append(part);
      this.#clearChunk();
      return undefined;
    }
    this.#afterCr = chunk[end] === CR;
    this.#at = end + 1;
    if (this.#pendingBytes === 0) return part;
    this.#append(part);
    const line = this.#pending.subarray(0, this.#pendingBytes);
    this.#pending = EMPTY;
    this.#pendingBytes = 0;
    return line;
  }

  /** Forgets everything. */
  clear(): void {
    this.#clearChunk();
    this.#pending = EMPTY;
    this.#pendingBytes = 0;
  }

  #clearChunk(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
  }

  #append(part: Uint8Array): void {
    const needed = this.#pendingBytes + part.length;
    if (needed > this.#pending.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed * 2, MIN_CAPACITY_BYTES));
      larger.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = larger;
    }
    this.#pending.set(part, this.#pendingBytes);
    this.#pendingBytes = needed;
  }
}
