const CR = 0x0d;
const LF = 0x0a;
const MIN_CAPACITY_BYTES = 64;
/** Storage larger than this many times its content is given back. */
const MAX_SLACK_FACTOR = 4;
const EMPTY = Buffer.alloc(0);

/**
 * Reads CRLF lines and counted bytes from chunks that are cut anywhere.
 * Each byte is searched once and copied a constant number of times (amortised), however small the chunks are;
 * a chunk that holds only whole items is not copied at all, and nothing is kept when nothing is pending.
 *
 * Use: `push(chunk)`, read until nothing more comes, `settle()`. Returned buffers are views, valid until the next `push`.
 */
export class ByteReader {
  #bytes: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** No line end lies before this index: the search goes on from here. */
  #scanned = 0;
  #owned = false;

  /** Bytes that are pushed and not yet read. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Size of the storage held between chunks, in bytes. */
  get capacityBytes(): number {
    return this.#bytes.length;
  }

  /** Adds a chunk. It must not change until {@link settle}. */
  push(chunk: Uint8Array): void {
    if (this.length === 0) {
      this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#start = this.#scanned = 0;
      this.#end = chunk.byteLength;
      this.#owned = false;
      return;
    }
    const needed = this.length + chunk.byteLength;
    if (this.#end + chunk.byteLength > this.#bytes.length) this.#moveTo(needed * 2);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.byteLength;
  }

  /** The next byte without reading it, or undefined. */
  peek(): number | undefined {
    return this.length === 0 ? undefined : this.#bytes[this.#start];
  }

  /** The next line without its CRLF; undefined while it is unfinished; 'too-long' as soon as it must exceed `maxBytes`. */
  readLine(maxBytes: number): Buffer | undefined | 'too-long' {
    while (this.#scanned < this.#end) {
      const at = this.#bytes.subarray(0, this.#end).indexOf(LF, this.#scanned);
      this.#scanned = at < 0 ? this.#end : at + 1;
      if (at > this.#start && this.#bytes[at - 1] === CR) {
        if (at - 1 - this.#start > maxBytes) return 'too-long';
        const line = this.#bytes.subarray(this.#start, at - 1);
        this.#start = at + 1;
        return line;
      }
    }
    // The last byte may be the CR of the line end.
    return this.length > maxBytes + 1 ? 'too-long' : undefined;
  }

  /** The next `count` bytes, or undefined while there are fewer. */
  readBytes(count: number): Buffer | undefined {
    if (this.length < count) return undefined;
    const bytes = this.#bytes.subarray(this.#start, this.#start + count);
    this.#start += count;
    this.#scanned = this.#start;
    return bytes;
  }

  /** Call when the chunk is read as far as possible: keeps the rest in storage of its own, sized to it. */
  settle(): void {
    if (this.length === 0) this.clear();
    else if (!this.#owned || this.#bytes.length > MAX_SLACK_FACTOR * Math.max(this.length, MIN_CAPACITY_BYTES)) {
      this.#moveTo(this.length * 2);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#bytes = EMPTY;
    this.#start = this.#end = this.#scanned = 0;
    this.#owned = false;
  }

  #moveTo(capacityBytes: number): void {
    // Not from the shared pool: a slice of it would keep all of the pool alive.
    const target = Buffer.allocUnsafeSlow(Math.max(capacityBytes, MIN_CAPACITY_BYTES));
    this.#bytes.copy(target, 0, this.#start, this.#end);
    this.#scanned -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
    this.#bytes = target;
    this.#owned = true;
  }
}
