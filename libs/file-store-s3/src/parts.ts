/** Bytes of one part: at least 5 MiB is what S3 asks of all but the last. */
export const PART_BYTES = 8 * 1024 * 1024;

/** Most parts that S3 takes of one file. */
export const MAX_PARTS = 10_000;

/** Puts chunks together into parts: all but the last have `PART_BYTES`, and there is one at least. */
export async function* partsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let leftBytes = PART_BYTES;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength;) {
      if (leftBytes === 0) {
        yield Buffer.concat(pieces);
        [pieces, leftBytes] = [[], PART_BYTES];
      }
      // A copy: the producer may use the chunk again.
      const piece = new Uint8Array(chunk.subarray(at, at + leftBytes));
      pieces.push(piece);
      at += piece.byteLength;
      leftBytes -= piece.byteLength;
    }
  }
  yield Buffer.concat(pieces);
}
