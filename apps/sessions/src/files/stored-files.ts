import type {
  FileStore,
  NewSessionDocument,
  ReadFile,
  SessionDocument,
  SessionDocuments,
} from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import { newId } from '../new-ids';
import { SdkRefusal } from '../refusal';
import type { InlineFiles } from '../sessions/sent-events';

export interface FileLimits {
  readonly maxFileBytes: number;
  /** Of all files of one workspace. */
  readonly quotaBytes: number;
}

export interface NewFile {
  readonly workspaceId: number;
  readonly filename: string;
  readonly mediaType: string;
  readonly content: AsyncIterable<Uint8Array>;
  /** A fresh one by default. */
  readonly id?: string;
  /** The session that it belongs to. */
  readonly sessionId?: string;
  /** What is known of it only when its content has been read. */
  readonly more?: () => Promise<{ readonly expiresInMs?: number }>;
  readonly signal?: AbortSignal;
}

/** Where the bytes of a file are in the store. */
export const fileKey = (workspaceId: number, fileId: string) => `${workspaceId}/${fileId}`;

/** Longer than any upload takes: bytes without a file are left over then. */
const UPLOAD_LEASE_MS = 3_600_000;
/** Longer than a removal takes. */
const REMOVAL_LEASE_MS = 60_000;
/** How many are removed in one go. */
const SWEEP_BATCH = 100;

/**
 * Keeps files: their bytes first, then what is known of them, so that what can be found can be read. Bytes that are on
 * their way in or out are noted, so that those which a crash leaves behind are removed by the sweep.
 */
export class StoredFiles implements InlineFiles {
  constructor(
    private readonly store: FileStore,
    private readonly documents: SessionDocuments,
    private readonly clock: Clock,
    private readonly limits: FileLimits,
  ) {}

  /**
   * @throws SluiceError `payload_too_large`, `invalid_request` when the workspace has too much, `file_store_unavailable`,
   *   `read_model_unavailable`; nothing is kept then
   */
  async add(file: NewFile): Promise<SessionDocument> {
    const { workspaceId, filename, mediaType, sessionId, id = newId('file') } = file;
    const known = file.id === undefined ? undefined : await this.documents.find(workspaceId, 'file', id);
    if (known) return known;
    await this.note(workspaceId, id, UPLOAD_LEASE_MS);
    const { sizeBytes, expiresInMs } = await this.keepBytes(file, id);
    const nowMs = this.clock.now();
    const document: NewSessionDocument = {
      workspaceId,
      kind: 'file',
      id,
      parentId: sessionId ?? null,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      archivedAtMs: null,
      expiresAtMs: expiresInMs === undefined ? null : nowMs + expiresInMs,
      fields: { filename, mime_type: mediaType, size_bytes: sizeBytes, downloadable: true },
    };
    // Whether a failure left a document or not, the sweep finds out.
    await this.documents.create([document]);
    await this.forget(workspaceId, id);
    return { ...document, version: 1 };
  }

  async keep(
    workspaceId: number,
    sessionId: string,
    file: { readonly base64: string; readonly mediaType: string; readonly filename: string },
  ): Promise<string> {
    const { base64, mediaType, filename } = file;
    const { id } = await this.add({ workspaceId, sessionId, filename, mediaType, content: pieces(base64) });
    return id;
  }

  /** @throws SluiceError `not_found`, also for one that has expired */
  async require(workspaceId: number, id: string): Promise<SessionDocument> {
    const document = await this.documents.find(workspaceId, 'file', id);
    if (!document) throw noSuchFile();
    if (this.isExpired(document)) throw new SdkRefusal('not_found', 'file_expired', 'The file has expired');
    return document;
  }

  isExpired({ expiresAtMs }: SessionDocument): boolean {
    return expiresAtMs !== null && expiresAtMs <= this.clock.now();
  }

  /** @throws SluiceError `not_found`, `file_store_unavailable` */
  async read({ workspaceId, id }: SessionDocument): Promise<ReadFile> {
    const file = await this.store.get(fileKey(workspaceId, id));
    // Removed meanwhile.
    if (!file) throw noSuchFile();
    return file;
  }

  /** @throws SluiceError `not_found` */
  async remove(workspaceId: number, id: string): Promise<void> {
    await this.note(workspaceId, id, REMOVAL_LEASE_MS);
    const isRemoved = await this.documents.remove(workspaceId, 'file', id);
    await this.dropBytes(workspaceId, id);
    if (!isRemoved) throw noSuchFile();
  }

  /** Removes what has expired and what was left over. Gives whether there may be more. */
  async sweep(signal: AbortSignal): Promise<boolean> {
    const nowMs = this.clock.now();
    const expired = await this.documents.expired('file', nowMs, SWEEP_BATCH);
    for (const { workspaceId, id } of expired) {
      if (signal.aborted) return false;
      await this.note(workspaceId, id, REMOVAL_LEASE_MS);
      await this.documents.remove(workspaceId, 'file', id);
      await this.dropBytes(workspaceId, id);
    }
    const left = await this.documents.expired('file_bytes', nowMs, SWEEP_BATCH);
    for (const { workspaceId, id } of left) {
      if (signal.aborted) return false;
      const file = await this.documents.find(workspaceId, 'file', id);
      if (file) await this.forget(workspaceId, id);
      else await this.dropBytes(workspaceId, id);
    }
    return expired.length === SWEEP_BATCH || left.length === SWEEP_BATCH;
  }

  private async keepBytes(file: NewFile, id: string): Promise<{ sizeBytes: number; expiresInMs?: number }> {
    const { workspaceId, content, more, signal } = file;
    const { maxFileBytes, quotaBytes } = this.limits;
    try {
      const leftBytes = quotaBytes - (await this.documents.sum(workspaceId, 'file', 'size_bytes'));
      if (leftBytes <= 0) throw quotaExceeded();
      const { sizeBytes } = await this.store
        .put({
          key: fileKey(workspaceId, id),
          content,
          maxBytes: Math.min(maxFileBytes, leftBytes),
          ...(signal !== undefined && { signal }),
        })
        .catch((error: unknown) => {
          const isTooLarge = error instanceof SluiceError && error.code === 'payload_too_large';
          throw isTooLarge && leftBytes < maxFileBytes ? quotaExceeded() : error;
        });
      return { sizeBytes, ...(await more?.()) };
    } catch (error) {
      // What does not go now is left to the sweep.
      await this.dropBytes(workspaceId, id).catch(() => undefined);
      throw error;
    }
  }

  /** Notes that there are bytes, which are to be removed after a time unless there is a file. */
  private async note(workspaceId: number, id: string, forMs: number): Promise<void> {
    const nowMs = this.clock.now();
    const times = { createdAtMs: nowMs, updatedAtMs: nowMs, archivedAtMs: null, expiresAtMs: nowMs + forMs };
    await this.documents.create([{ workspaceId, kind: 'file_bytes', id, parentId: null, ...times, fields: {} }]);
  }

  private async forget(workspaceId: number, id: string): Promise<void> {
    await this.documents.remove(workspaceId, 'file_bytes', id);
  }

  private async dropBytes(workspaceId: number, id: string): Promise<void> {
    await this.store.remove(fileKey(workspaceId, id));
    await this.forget(workspaceId, id);
  }
}

function noSuchFile(): SluiceError {
  return new SluiceError('not_found', 'There is no such file');
}

function quotaExceeded(): SluiceError {
  const message = 'The workspace has no room for more files';
  return new SdkRefusal('invalid_request', 'storage_quota_exceeded', message);
}

/** Characters of base64 that are decoded at once; a multiple of 4. */
const PIECE_CHARACTERS = 1_048_576;

async function* pieces(base64: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < base64.length; at += PIECE_CHARACTERS) {
    yield Buffer.from(base64.slice(at, at + PIECE_CHARACTERS), 'base64');
  }
}
