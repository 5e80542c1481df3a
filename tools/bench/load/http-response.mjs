const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** Counts the answers on one keep-alive connection and reads their status. Bodies must have a `content-length`. */
export class ResponseReader {
  #rest = EMPTY;
  #bodyLeft = 0;
  #status = 0;

  /**
   * @param {Buffer} chunk
   * @param {(status: number) => void} onResponse called when the last byte of an answer has come
   * @throws Error for what is not an HTTP/1.1 answer with a length
   */
  feed(chunk, onResponse) {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = EMPTY;
    while (bytes.length > 0) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, bytes.length);
        this.#bodyLeft -= taken;
        bytes = bytes.subarray(taken);
        if (this.#bodyLeft === 0) onResponse(this.#status);
        continue;
      }
      const end = bytes.indexOf(HEAD_END);
      if (end === -1) {
        if (bytes.length > MAX_HEAD_BYTES) throw new Error('the head of an answer does not end');
        this.#rest = Buffer.from(bytes);
        return;
      }
      this.#readHead(bytes.toString('latin1', 0, end));
      bytes = bytes.subarray(end + HEAD_END.length);
      if (this.#bodyLeft === 0) onResponse(this.#status);
    }
  }

  #readHead(head) {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (!status || !length) throw new Error(`not an answer with a length: ${head.slice(0, 200)}`);
    this.#status = Number(status[1]);
    this.#bodyLeft = Number(length[1]);
  }
}
