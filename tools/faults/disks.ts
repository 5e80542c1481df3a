import { chmod, mkdir, open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { runTool } from './tools';

const FILLER = 'filler';
const CHUNK_BYTES = 1 << 20;
const SMALLEST_CHUNK_BYTES = 512;
const UNMOUNT_TIMEOUT_MS = 30_000;

/** A file system of its own for a folder, small enough to be filled. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static async mount(folder: string, size: string): Promise<SmallDisk> {
    await mkdir(folder, { recursive: true });
    await runTool('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'tmpfs', folder);
    return new SmallDisk(folder);
  }

  /** Takes all that is free. */
  async fill(): Promise<void> {
    const file = await open(join(this.folder, FILLER), 'a');
    try {
      // Ever smaller pieces: the last byte is to be taken as well.
      for (let bytes = CHUNK_BYTES; bytes >= SMALLEST_CHUNK_BYTES;) {
        const written = await file.write(Buffer.alloc(bytes)).catch(() => undefined);
        if (written === undefined || written.bytesWritten < bytes) bytes /= 2;
      }
    } finally {
      await file.close();
    }
  }

  /** Gives it back. */
  async free(): Promise<void> {
    await rm(join(this.folder, FILLER), { force: true });
  }

  unmount(): Promise<void> {
    return unmount(this.folder);
  }
}

/** An ext4 in a file, whose power can be cut: what was not synced is gone. */
export class CutDisk {
  private constructor(
    private readonly image: string,
    readonly folder: string,
  ) {}

  static async mount(image: string, folder: string, bytes: number): Promise<CutDisk> {
    await mkdir(folder, { recursive: true });
    await (await open(image, 'w')).close();
    await truncate(image, bytes);
    await runTool('mkfs.ext4', '-q', '-F', image);
    const disk = new CutDisk(image, folder);
    await disk.attach();
    // PostgreSQL runs as another user.
    await chmod(folder, 0o755);
    return disk;
  }

  /** From now on nothing reaches the disk, not even what waits in memory for it. */
  async cutPower(): Promise<void> {
    await runTool('xfs_io', '-x', '-c', 'shutdown', this.folder);
  }

  /** Comes back as after a power cut: the journal is replayed. Nobody may have a file of it open. */
  async restore(): Promise<void> {
    await unmount(this.folder);
    await this.attach();
  }

  unmount(): Promise<void> {
    return unmount(this.folder);
  }

  private async attach(): Promise<void> {
    await runTool('mount', '-o', 'loop', this.image, this.folder);
  }
}

/** Whoever was killed may need a moment to let go of its files. */
async function unmount(folder: string): Promise<void> {
  let reason: unknown;
  await until(
    () =>
      runTool('umount', folder).then(
        () => true,
        (error: unknown) => {
          reason = error;
          return false;
        },
      ),
    `${folder} is unmounted`,
    UNMOUNT_TIMEOUT_MS,
  ).catch(() => {
    throw reason;
  });
}
