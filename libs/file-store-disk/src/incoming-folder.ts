import { randomUUID } from 'node:crypto';
import { open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './disk-faults';

/** Owner only. */
export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

/** No key begins with a full stop, so nothing in it is ever found. */
const INCOMING = '.incoming';

/** Where files are while they come in: on the same file system as those that are whole. */
export class IncomingFolder {
  readonly path: string;

  constructor(root: string) {
    this.path = join(root, INCOMING);
  }

  /** A new empty file that nobody finds. */
  async create(): Promise<{ readonly path: string; readonly handle: FileHandle }> {
    const path = join(this.path, randomUUID());
    return { path, handle: await open(path, 'wx', FILE_MODE) };
  }

  /** Removes what was not written to since then. */
  async removeLeftovers(writtenBeforeMs: number): Promise<void> {
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name);
      if ((await writtenAtMs(path)) < writtenBeforeMs) await rm(path, { force: true, recursive: true });
    }
  }
}

/** What another process removed meanwhile is never too old. */
async function writtenAtMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return Infinity;
    throw error;
  }
}
