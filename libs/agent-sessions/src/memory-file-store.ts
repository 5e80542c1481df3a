import { SluiceError } from '@sluice/event-log';
import { checkFileKey, contentToStore } from './file-content';
import type { FileStore, PutFile, ReadFile, StoredFile } from './file-store';

/** Most bytes of all files together; a put beyond it is refused with `file_store_unavailable`. */
export const MAX_MEMORY_FILE_BYTES = 1_073_741_824;

/** Files in this process: for trying things out and for tests. */
export class MemoryFileStore implements FileStore {
  private readonly files = new Map<string, { readonly sizeBytes: number; readonly chunks: readonly Uint8Array[] }>();
  private heldBytes = 0;

  async put(file: PutFile): Promise<StoredFile> {
    checkFileKey(file.key);
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of contentToStore(file)) {
        if (this.heldBytes + chunk.byteLength > MAX_MEMORY_FILE_BYTES) {
          throw new SluiceError('file_store_unavailable', 'There is no room for more files');
        }
        chunks.push(new Uint8Array(chunk));
        sizeBytes += chunk.byteLength;
        this.heldBytes += chunk.byteLength;
      }
    } catch (error) {
      this.heldBytes -= sizeBytes;
      throw error;
    }
    this.forget(file.key);
    this.files.set(file.key, { sizeBytes, chunks });
    return { sizeBytes };
  }

  async get(key: string): Promise<ReadFile | undefined> {
    checkFileKey(key);
    const file = this.files.get(key);
    return file && { sizeBytes: file.sizeBytes, content: copies(file.chunks) };
  }

  async remove(key: string): Promise<void> {
    checkFileKey(key);
    this.forget(key);
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}

  private forget(key: string): void {
    this.heldBytes -= this.files.get(key)?.sizeBytes ?? 0;
    this.files.delete(key);
  }
}

async function* copies(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new Uint8Array(chunk);
}
