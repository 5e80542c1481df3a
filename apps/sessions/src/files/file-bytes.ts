import { randomBytes } from 'node:crypto';
import type { FileStore, ReadFile, SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import type { Clock } from '../clock';

/** The field of a file by which its bytes are found. */
const BYTES_FIELD = 'bytes_id';

/** Longer than any upload takes: bytes without a file are left over then. */
const UPLOAD_LEASE_MS = 3_600_000;
/** Longer than a removal takes. */
const REMOVAL_LEASE_MS = 60_000;
/** When to try again to remove what could not be removed. */
const RETRY_MS = 300_000;
/** Failures after which a sweep ends: the store is away for all of them then. */
const MAX_FAILURES = 5;
const BYTES_ID_BYTES = 16;

/** Bytes of one upload. */
export interface UploadedBytes {
  readonly workspaceId: number;
  /** Names them in the store and in the file that has them: no two uploads share it. */
  readonly bytesId: string;
}

export const keyOf = ({ workspaceId, bytesId }: UploadedBytes) => `${workspaceId}/${bytesId}`;

/** What a file says of where its bytes are. */
export const bytesField = ({ bytesId }: UploadedBytes) => ({ [BYTES_FIELD]: bytesId });

/** The bytes of a file. */
export function bytesOf({ workspaceId, fields }: SessionDocument): UploadedBytes {
  return { workspaceId, bytesId: String(fields[BYTES_FIELD]) };
}

/** Reads the bytes of a file; undefined when they are removed. @throws SluiceError `file_store_unavailable` */
export function readBytes(store: Pick<FileStore, 'get'>, file: SessionDocument): Promise<ReadFile | undefined> {
  return store.get(keyOf(bytesOf(file)));
}

/**
 * Notes which bytes are on their way in or out, so that those which a crash leaves behind are removed by a sweep. The
 * note of an upload holds the room that it may need.
 */
export class FileBytes {
  constructor(
    private readonly store: FileStore,
    private readonly documents: SessionDocuments,
    private readonly clock: Clock,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Bytes that are to come in: left over unless there is a file that has them by the end of the lease. */
  async begin(workspaceId: number, fileId: string, reservedBytes: number): Promise<UploadedBytes> {
    const bytes = { workspaceId, bytesId: `${fileId}_${randomBytes(BYTES_ID_BYTES).toString('hex')}` };
    await this.note(bytes, fileId, UPLOAD_LEASE_MS, reservedBytes);
    return bytes;
  }

  /** They are a file's, and stay. */
  async keep({ workspaceId, bytesId }: UploadedBytes): Promise<void> {
    await this.documents.remove(workspaceId, 'file_bytes', bytesId);
  }

  /** Removes them. */
  async drop(bytes: UploadedBytes): Promise<void> {
    await this.store.remove(keyOf(bytes));
    await this.keep(bytes);
  }

  /** Removes them, or leaves them to the sweep: they hold no room in either case. */
  async dropLater(bytes: UploadedBytes): Promise<void> {
    try {
      await this.drop(bytes);
    } catch (error) {
      this.onFault(error);
      await this.holdNothing(bytes).catch(this.onFault);
    }
  }

  /** Removes a file, then its bytes, at the latest by the sweep. False when it was removed before. */
  async dropFile(file: SessionDocument): Promise<boolean> {
    const isRemoved = await this.unlist(file);
    await this.dropLater(bytesOf(file));
    return isRemoved;
  }

  /** Removes files that have expired, at most `limit`. Gives how many it looked at. */
  async sweepExpired(limit: number, signal: AbortSignal): Promise<number> {
    const expired = await this.documents.expired('file', this.clock.now(), limit);
    // What cannot be removed from the store is noted by then.
    return this.each(
      expired,
      signal,
      async (file) => {
        await this.unlist(file);
        await this.drop(bytesOf(file));
      },
      () => Promise.resolve(),
    );
  }

  /** Removes what was left over, at most `limit`. Gives how many it looked at. What fails is put off, and holds up nothing. */
  async sweepLeftOver(limit: number, signal: AbortSignal): Promise<number> {
    const notes = await this.documents.expired('file_bytes', this.clock.now(), limit);
    return this.each(
      notes,
      signal,
      async (note) => {
        const { workspaceId, id: bytesId, parentId } = note;
        const file = await this.documents.find(workspaceId, 'file', parentId ?? '');
        const isKept = file !== undefined && bytesOf(file).bytesId === bytesId;
        await (isKept ? this.keep({ workspaceId, bytesId }) : this.drop({ workspaceId, bytesId }));
      },
      ({ workspaceId, id: bytesId }) => this.holdNothing({ workspaceId, bytesId }),
    );
  }

  /** Puts off what is to be removed, and gives its room to others. */
  private async holdNothing({ workspaceId, bytesId }: UploadedBytes): Promise<void> {
    const found = await this.documents.find(workspaceId, 'file_bytes', bytesId);
    if (!found) return;
    const { version, ...note } = found;
    const fields = { ...note.fields, size_bytes: 0 };
    await this.documents.replace({ ...note, fields, expiresAtMs: this.clock.now() + RETRY_MS }, version);
  }

  private async unlist(file: SessionDocument): Promise<boolean> {
    await this.note(bytesOf(file), file.id, REMOVAL_LEASE_MS, 0);
    return this.documents.remove(file.workspaceId, 'file', file.id);
  }

  private async each(
    found: readonly SessionDocument[],
    signal: AbortSignal,
    remove: (one: SessionDocument) => Promise<void>,
    putOff: (one: SessionDocument) => Promise<void>,
  ): Promise<number> {
    let failures = 0;
    for (const one of found) {
      if (signal.aborted || failures >= MAX_FAILURES) return 0;
      try {
        await remove(one);
      } catch (error) {
        failures++;
        this.onFault(error);
        await putOff(one);
      }
    }
    return found.length;
  }

  private async note(
    { workspaceId, bytesId: id }: UploadedBytes,
    parentId: string,
    forMs: number,
    size_bytes: number,
  ): Promise<void> {
    const nowMs = this.clock.now();
    const times = { createdAtMs: nowMs, updatedAtMs: nowMs, archivedAtMs: null, expiresAtMs: nowMs + forMs };
    await this.documents.create([{ workspaceId, kind: 'file_bytes', id, parentId, ...times, fields: { size_bytes } }]);
  }
}
