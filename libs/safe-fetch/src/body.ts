import type { IncomingMessage } from 'node:http';
import { pipeline, type Duplex } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { SafeFetchError } from './errors';

/** The first buffer of a body that is collected; it doubles up to the limit. */
const FIRST_BUFFER_BYTES = 16_384;

const DECOMPRESSORS: ReadonlyMap<string, () => Duplex> = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/**
 * The body of an answer as its sender wrote it, at most `maxBytes` of it, before and after decompression.
 * Reading it throws SafeFetchError `too_large`, `unreachable` for an encoding that nobody asked for and that is not known; errors of the streams as they are.
 */
export function readBody(response: IncomingMessage, maxBytes: number): AsyncIterable<Uint8Array> {
  const encoding = (response.headers['content-encoding'] ?? '').trim().toLowerCase();
  const raw = bounded(response, maxBytes);
  if (encoding === '' || encoding === 'identity') {
    return raw;
  }
  const decompressor = DECOMPRESSORS.get(encoding);
  if (decompressor === undefined) {
    return undecodable();
  }
  return bounded(decompress(raw, decompressor()), maxBytes);
}

/** The head of such an answer is known all the same. */
function undecodable(): AsyncIterable<Uint8Array> {
  const next = () => Promise.reject(new SafeFetchError('unreachable', 'The answer is encoded in an unknown way'));
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Whether the sender announces more than the limit. */
export function announcesMoreThan(response: IncomingMessage, maxBytes: number): boolean {
  const announced = response.headers['content-length'];
  return announced !== undefined && Number(announced) > maxBytes;
}

export function tooLarge(maxBytes: number): SafeFetchError {
  return new SafeFetchError('too_large', `The answer is larger than ${maxBytes} bytes`);
}

/** All chunks in one array, for those of a stream too; never more than twice `maxBytes` are held, however small the chunks. */
export async function collectBytes(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  let buffer = new Uint8Array(Math.min(FIRST_BUFFER_BYTES, maxBytes));
  let length = 0;
  for await (const chunk of chunks) {
    const needed = length + chunk.length;
    if (needed > buffer.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(maxBytes, buffer.length * 2)));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(chunk, length);
    length = needed;
  }
  return buffer.slice(0, length);
}

async function* bounded(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > maxBytes) {
      throw tooLarge(maxBytes);
    }
    yield chunk;
  }
}

async function* decompress(source: AsyncIterable<Uint8Array>, decompressor: Duplex): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      isEmpty = false;
      yield chunk;
    }
  };
  // What goes wrong on the way ends the decompressor, and so the loop below.
  pipeline(counted(source), decompressor, () => undefined);
  try {
    yield* decompressor as AsyncIterable<Uint8Array>;
  } catch (error) {
    // An answer without a body (to HEAD, 204) may name an encoding all the same; a connection that broke is no such answer.
    if (!isEmpty || !isUnfinished(error)) {
      throw error;
    }
  }
}

function isUnfinished(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'Z_BUF_ERROR';
}
