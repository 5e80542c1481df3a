const LF = 0x0a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const EMPTY = Buffer.alloc(0);

/**
 * Finds the numbers of events in a stream of bytes, however it is cut, at next to no cost: the processor time of a
 * subscriber must not become the bound of what is measured. An event is one line of JSON that has the marker, a number
 * behind it, and ends by LF; it counts when its LF has come. That holds for SSE and for the line protocol.
 */
export class EventScanner {
  #marker;
  #rest = EMPTY;

  /** @param {string} marker for instance `"benchSeq":` */
  constructor(marker) {
    this.#marker = Buffer.from(marker);
  }

  /**
   * @param {Buffer} chunk may be reused by the caller afterwards
   * @param {(number: number) => void} onNumber
   */
  feed(chunk, onNumber) {
    const marker = this.#marker;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let place = 0;
    for (;;) {
      const found = bytes.indexOf(marker, place);
      if (found === -1) {
        // The end may be the beginning of a marker.
        this.#keep(bytes, Math.max(place, bytes.length - marker.length + 1));
        return;
      }
      const end = bytes.indexOf(LF, found + marker.length);
      if (end === -1) {
        this.#keep(bytes, found);
        return;
      }
      let number = 0;
      for (let at = found + marker.length; bytes[at] >= DIGIT_0 && bytes[at] <= DIGIT_9; at += 1)
        number = number * 10 + bytes[at] - DIGIT_0;
      onNumber(number);
      place = end + 1;
    }
  }

  #keep(bytes, from) {
    this.#rest = from >= bytes.length ? EMPTY : Buffer.from(bytes.subarray(from));
  }
}
