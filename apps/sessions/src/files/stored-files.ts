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
import { bytesField, FileBytes, keyOf, readBytes, type UploadedBytes } from './file-bytes';

export interface FileLimits {
  readonly maxFileBytes: number;
  /** Of all files of one workspace, those that are on their way in among them. */
  readonly quotaBytes: number;
}

export interface NewFile {
  readonly workspaceId: number;
  readonly filename: string;
  readonly mediaType: string;
  readonly content: AsyncIterable<Uint8Array>;
  /** A fresh one by default. */
  readonly id?: string;
  /** It is no larger, as far as is known before. */
  readonly atMostBytes?: number;
  /** The session that it belongs to. */
  readonly sessionId?: string;
  /** What is known of it only when its content has been read. */
  readonly more?: () => Promise<{ readonly expiresInMs?: number }>;
  readonly signal?: AbortSignal;
}

const FILE_ID = /^file_[0-9a-f]{32}$/;

/** How many are removed in one go. */
const SWEEP_BATCH = 100;

/** When there may be room again that other uploads hold. */
const ROOM_RETRY_MS = 2_000;

/**
 * Keeps files: their bytes first, then what is known of them, so that what can be found can be read. Each upload has bytes
 * of its own, also of a file that is uploaded twice at a time: the first that is stored is the file.
 */
export class StoredFiles implements InlineFiles {
  private readonly bytes: FileBytes;

  /** @param onFault told of what could not be removed; it is tried again later */
  constructor(
    private readonly store: FileStore,
    private readonly documents: SessionDocuments,
    private readonly clock: Clock,
    private readonly limits: FileLimits,
    onFault: (error: unknown) => void,
  ) {
    this.bytes = new FileBytes(store, documents, clock, onFault);
  }

  /**
   * @throws SluiceError `payload_too_large`, `invalid_request` when the workspace has too much, `overloaded` when others
   *   that come in may need the room, `file_store_unavailable`, `read_model_unavailable`; nothing is kept then
   */
  async add(file: NewFile): Promise<SessionDocument> {
    const { workspaceId, filename, mediaType, sessionId, id = newId('file') } = file;
    const known = file.id === undefined ? undefined : await this.documents.find(workspaceId, 'file', id);
    if (known) return known;
    const reservedBytes = await this.roomFor(file);
    const bytes = await this.bytes.begin(workspaceId, id, reservedBytes);
    const { sizeBytes, expiresInMs } = await this.keepBytes(file, bytes, reservedBytes);
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
      fields: { filename, mime_type: mediaType, size_bytes: sizeBytes, downloadable: true, ...bytesField(bytes) },
    };
    // Whether a failure left a document or not, the sweep finds out.
    const isFirst = await this.documents.create([document]);
    if (!isFirst) return this.instead(document, bytes);
    await this.bytes.keep(bytes);
    return { ...document, version: 1 };
  }

  async keep(
    workspaceId: number,
    sessionId: string,
    file: { readonly base64: string; readonly mediaType: string; readonly filename: string },
  ): Promise<string> {
    const { base64, mediaType, filename } = file;
    const atMostBytes = Math.ceil((base64.length * 3) / 4);
    const content = pieces(base64);
    const { id } = await this.add({ workspaceId, sessionId, filename, mediaType, content, atMostBytes });
    return id;
  }

  /** @throws SluiceError `not_found`, also for one that has expired */
  async require(workspaceId: number, id: string): Promise<SessionDocument> {
    const document = await this.find(workspaceId, id);
    if (this.isExpired(document)) throw new SdkRefusal('not_found', 'file_expired', 'The file has expired');
    return document;
  }

  isExpired({ expiresAtMs }: SessionDocument): boolean {
    return expiresAtMs !== null && expiresAtMs <= this.clock.now();
  }

  /** @throws SluiceError `not_found`, `file_store_unavailable` */
  async read(document: SessionDocument): Promise<ReadFile> {
    const file = await readBytes(this.store, document);
    // Removed meanwhile.
    if (!file) throw noSuchFile();
    return file;
  }

  /** @throws SluiceError `not_found` */
  async remove(workspaceId: number, id: string): Promise<void> {
    const isRemoved = await this.bytes.dropFile(await this.find(workspaceId, id));
    if (!isRemoved) throw noSuchFile();
  }

  /** Removes what has expired and what was left over. Gives whether there may be more. */
  async sweep(signal: AbortSignal): Promise<boolean> {
    const expired = await this.bytes.sweepExpired(SWEEP_BATCH, signal);
    const left = await this.bytes.sweepLeftOver(SWEEP_BATCH, signal);
    return expired === SWEEP_BATCH || left === SWEEP_BATCH;
  }

  private async find(workspaceId: number, id: string): Promise<SessionDocument> {
    const document = FILE_ID.test(id) ? await this.documents.find(workspaceId, 'file', id) : undefined;
    if (!document) throw noSuchFile();
    return document;
  }

  /** Another upload of the same file was stored first: that is the file. */
  private async instead({ workspaceId, id }: NewSessionDocument, bytes: UploadedBytes): Promise<SessionDocument> {
    await this.bytes.dropLater(bytes);
    const stored = await this.documents.find(workspaceId, 'file', id);
    if (!stored) throw new SluiceError('conflict', 'The file was stored by another call and removed');
    return stored;
  }

  /** How many bytes of what the workspace may still have are kept for it. */
  private async roomFor({ workspaceId, atMostBytes = Number.POSITIVE_INFINITY }: NewFile): Promise<number> {
    const { storedBytes, comingBytes } = await this.taken(workspaceId);
    const { maxFileBytes, quotaBytes } = this.limits;
    if (storedBytes >= quotaBytes) throw quotaExceeded();
    const leftBytes = quotaBytes - storedBytes - comingBytes;
    const wantedBytes = Math.min(atMostBytes, maxFileBytes);
    // What comes in may turn out to be smaller than announced.
    if (leftBytes < wantedBytes && comingBytes > 0) throw roomIsHeld();
    return Math.min(wantedBytes, leftBytes);
  }

  private async keepBytes(
    { workspaceId, content, more, signal }: NewFile,
    bytes: UploadedBytes,
    reservedBytes: number,
  ): Promise<{ sizeBytes: number; expiresInMs?: number }> {
    const { maxFileBytes } = this.limits;
    try {
      await this.requireRoom(workspaceId);
      const { sizeBytes } = await this.store
        .put({ key: keyOf(bytes), content, maxBytes: reservedBytes, ...(signal !== undefined && { signal }) })
        .catch((error: unknown) => {
          const isTooLarge = error instanceof SluiceError && error.code === 'payload_too_large';
          throw isTooLarge && reservedBytes < maxFileBytes ? quotaExceeded() : error;
        });
      return { sizeBytes, ...(await more?.()) };
    } catch (error) {
      await this.bytes.dropLater(bytes);
      throw error;
    }
  }

  /** Uploads that begin at the same moment do not see each other before they are noted. */
  private async requireRoom(workspaceId: number): Promise<void> {
    const { storedBytes, comingBytes } = await this.taken(workspaceId);
    if (storedBytes + comingBytes > this.limits.quotaBytes) throw roomIsHeld();
  }

  /** What comes in first: what is stored between the two looks is counted twice then, and not left out. */
  private async taken(workspaceId: number): Promise<{ storedBytes: number; comingBytes: number }> {
    const comingBytes = await this.documents.sum(workspaceId, 'file_bytes', 'size_bytes');
    const storedBytes = await this.documents.sum(workspaceId, 'file', 'size_bytes');
    return { storedBytes, comingBytes };
  }
}

function noSuchFile(): SluiceError {
  return new SluiceError('not_found', 'There is no such file');
}

function quotaExceeded(): SluiceError {
  const message = 'The workspace has no room for more files';
  return new SdkRefusal('invalid_request', 'storage_quota_exceeded', message);
}

function roomIsHeld(): SluiceError {
  const message = 'Other files that come in may need the room that the workspace has left';
  return new SluiceError('overloaded', message, { retryAfterMs: ROOM_RETRY_MS });
}

/** Characters of base64 that are decoded at once; a multiple of 4. */
const PIECE_CHARACTERS = 1_048_576;

async function* pieces(base64: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < base64.length; at += PIECE_CHARACTERS) {
    yield Buffer.from(base64.slice(at, at + PIECE_CHARACTERS), 'base64');
  }
}
