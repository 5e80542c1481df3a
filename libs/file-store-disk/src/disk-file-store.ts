import {
  checkFileKey,
  contentToStore,
  type FileStore,
  type PutFile,
  type ReadFile,
  type StoredFile,
} from '@sluice/agent-sessions';
import { access, mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isMissing, onDisk } from './disk-faults';
import { FOLDER_MODE, IncomingFolder } from './incoming-folder';
import { readContent, type FileIdentity } from './read-content';

export interface DiskFileStoreOptions {
  /** Made when it is not there, with its parents. */
  readonly folder: string;
  /** Whether other processes store files in the folder at the same time: what they have begun is not removed. */
  readonly isShared: boolean;
}

/** How long nothing was written to what counts as broken off in a shared folder. */
export const SHARED_LEFTOVER_AGE_MS = 3_600_000;

/** Keeps a name of a file apart from a folder of the same name. */
const FILE_SUFFIX = '.file';

/** Files in a folder. Makes it, and removes what processes left that ended amid a put. @throws SluiceError `file_store_unavailable` */
export async function openDiskFileStore({ folder, isShared }: DiskFileStoreOptions): Promise<DiskFileStore> {
  const root = resolve(folder);
  const incoming = new IncomingFolder(root);
  await onDisk(async () => {
    await mkdir(incoming.path, { recursive: true, mode: FOLDER_MODE });
    await incoming.removeLeftovers(isShared ? Date.now() - SHARED_LEFTOVER_AGE_MS : Infinity);
  });
  return new DiskFileStore(root, incoming);
}

/** A file comes in under a name of its own, is synced, and is then renamed to its key: whole or not there. */
export class DiskFileStore implements FileStore {
  constructor(
    private readonly root: string,
    private readonly incoming: IncomingFolder,
  ) {}

  async put(file: PutFile): Promise<StoredFile> {
    const path = this.pathOf(file.key);
    const { path: incomingPath, handle } = await onDisk(() => this.incoming.create());
    try {
      const sizeBytes = await write(handle, file);
      await onDisk(() => this.settle(incomingPath, path));
      return { sizeBytes };
    } catch (error) {
      await rm(incomingPath, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async get(key: string): Promise<ReadFile | undefined> {
    const path = this.pathOf(key);
    return onDisk(async () => {
      const found = await statOf(path);
      if (found === undefined) return void (await this.expectFolder());
      return { sizeBytes: found.size, content: readContent(path, found) };
    });
  }

  async remove(key: string): Promise<void> {
    const path = this.pathOf(key);
    await onDisk(async () => {
      await this.expectFolder();
      await rm(path, { force: true });
    });
  }

  async check(): Promise<void> {
    await onDisk(async () => {
      const { path, handle } = await this.incoming.create();
      await handle.close();
      await rm(path);
    });
  }

  async close(): Promise<void> {}

  private pathOf(key: string): string {
    checkFileKey(key);
    return join(this.root, ...key.split('/')) + FILE_SUFFIX;
  }

  /** A volume that is not mounted has none of its files, which does not mean that there are none. */
  private async expectFolder(): Promise<void> {
    await access(this.incoming.path);
  }

  private async settle(incomingPath: string, path: string): Promise<void> {
    await this.expectFolder();
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    await rename(incomingPath, path);
    for (const folder of foldersBetween(this.root, dirname(path))) await sync(folder);
  }
}

async function write(handle: FileHandle, file: PutFile): Promise<number> {
  try {
    let sizeBytes = 0;
    for await (const chunk of contentToStore(file)) {
      await onDisk(() => writeWhole(handle, chunk));
      sizeBytes += chunk.byteLength;
    }
    await onDisk(() => handle.sync());
    return sizeBytes;
  } finally {
    await handle.close();
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength;) {
    const { bytesWritten } = await handle.write(chunk, at, chunk.byteLength - at);
    at += bytesWritten;
  }
}

async function statOf(path: string): Promise<FileIdentity | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The deepest first, the root last: each holds the name of the one before it. */
function foldersBetween(root: string, folder: string): string[] {
  const names = relative(root, folder)
    .split(sep)
    .filter((name) => name !== '');
  return [...names.keys(), names.length].map((depth) => join(root, ...names.slice(0, depth))).reverse();
}

/** What was renamed survives a loss of power once its folder is synced. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
