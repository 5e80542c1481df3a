import type { HeldBytes, HeldShare } from './held-bytes';

/** Bytes of one part: at least 5 MiB is what S3 asks of all but the last. */
export const PART_BYTES = 8 * 1024 * 1024;

/** Most parts that S3 takes of one file. */
export const MAX_PARTS = 10_000;

/** What is held of a small file at first; it doubles as more comes. */
const FIRST_BUFFER_BYTES = 64 * 1024;

export interface Part {
  /** Good until the next part is asked for. */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Puts chunks together into parts, in one buffer: all but the last have `PART_BYTES`, and there is one at least.
 *
 * @throws SluiceError `file_store_unavailable` when there is no room to hold one; what `chunks` throws
 */
export async function* partsOf(chunks: AsyncIterable<Uint8Array>, held: HeldBytes): AsyncGenerator<Part> {
  const share = held.open();
  let buffer = new Uint8Array();
  let length = 0;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.byteLength;) {
        if (length === PART_BYTES) {
          yield { bytes: buffer, isLast: false };
          length = 0;
        }
        // A copy: the producer may use the chunk again.
        const piece = chunk.subarray(at, at + PART_BYTES - length);
        buffer = withRoom(buffer, length, piece.byteLength, share);
        buffer.set(piece, length);
        at += piece.byteLength;
        length += piece.byteLength;
      }
    }
    yield { bytes: buffer.subarray(0, length), isLast: true };
  } finally {
    share.release();
  }
}

function withRoom(buffer: Uint8Array<ArrayBuffer>, length: number, more: number, share: HeldShare) {
  if (length + more <= buffer.byteLength) return buffer;
  let bytes = Math.max(buffer.byteLength, FIRST_BUFFER_BYTES);
  while (bytes < length + more) bytes = Math.min(2 * bytes, PART_BYTES);
  share.growTo(bytes);
  const larger = new Uint8Array(bytes);
  larger.set(buffer.subarray(0, length));
  return larger;
}
