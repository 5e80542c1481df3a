/** What was stored. */
export interface StoredFile {
  readonly sizeBytes: number;
}

export interface PutFile {
  /** Names the file in the store: workspace and id. See `checkFileKey`. */
  readonly key: string;
  /** Read one chunk at a time, as fast as it can be stored; the producer may use a chunk again after it. */
  readonly content: AsyncIterable<Uint8Array>;
  /** More is refused, and nothing is kept. */
  readonly maxBytes: number;
  /** Breaks off with the reason of the signal, also while `content` says nothing. */
  readonly signal?: AbortSignal;
}

/** A file as it was when it was looked up. */
export interface ReadFile {
  readonly sizeBytes: number;
  /**
   * Opened when it is iterated, which is once, and closed when the iteration ends or breaks off. It gives `sizeBytes` bytes of one
   * file or throws `file_store_unavailable`, also when the file was replaced or removed since it was looked up.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Where the bytes of files are. A file is whole or not there: what breaks off leaves nothing that `get` would find, and
 * leaves a file that had the key before as it was. Every method may throw SluiceError `file_store_unavailable`, and throws
 * `invalid_request` for a key that is none.
 */
export interface FileStore {
  /**
   * Keeps the file when it resolves. What `content` throws is thrown as it is.
   *
   * @throws SluiceError `payload_too_large`
   */
  put(file: PutFile): Promise<StoredFile>;
  /** Undefined when there is none. The bytes come as they are read; nothing is held as a whole. */
  get(key: string): Promise<ReadFile | undefined>;
  /** Idempotent. */
  remove(key: string): Promise<void>;
  /** Resolves when files can be read and stored now. */
  check(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
