import { SluiceError } from '@sluice/event-log';
import type { PutFile } from './file-store';

/** Longest key of a file, in characters. */
export const MAX_FILE_KEY_LENGTH = 200;

const FILE_KEY = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/;

/**
 * Keys are names of letters, digits, `-` and `_`, with `/` between them; so none can lead out of a folder.
 *
 * @throws SluiceError `invalid_request`
 */
export function checkFileKey(key: string): void {
  if (key.length > MAX_FILE_KEY_LENGTH || !FILE_KEY.test(key)) {
    throw new SluiceError('invalid_request', 'This is no key of a file', { where: 'key' });
  }
}

/**
 * The chunks of a file that is to be stored, for implementations of FileStore: ends with what stops a put.
 *
 * @throws SluiceError `payload_too_large` before the chunk that is too much; the reason of the signal; what the content throws
 */
export async function* contentToStore({ content, maxBytes, signal }: PutFile): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const chunks = content[Symbol.asyncIterator]();
  const abort = abortOf(signal);
  let sizeBytes = 0;
  let isRead = false;
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), abort.reached]);
      signal?.throwIfAborted();
      if (next.done === true) {
        isRead = true;
        return;
      }
      sizeBytes += next.value.byteLength;
      if (sizeBytes > maxBytes) {
        throw new SluiceError('payload_too_large', `The file has more than ${maxBytes} bytes`);
      }
      yield next.value;
      signal?.throwIfAborted();
    }
  } finally {
    abort.forget();
    if (!isRead) letGo(chunks);
  }
}

function abortOf(signal: AbortSignal | undefined): { readonly reached: Promise<never>; forget(): void } {
  const forgotten = new AbortController();
  const reached = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: forgotten.signal });
  });
  // Nobody may be waiting when it aborts.
  reached.catch(() => undefined);
  return { reached, forget: () => forgotten.abort() };
}

/** Not waited for: a producer that is stuck would keep the put. */
function letGo(chunks: AsyncIterator<Uint8Array>): void {
  void (async () => chunks.return?.())().catch(() => undefined);
}
