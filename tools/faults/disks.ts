import { chmod, mkdir, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@sluice/event-log/conformance';
import type { Effect } from './effect';
import { runTool } from './tools';

const FILLER = 'filler';
const PROBE = 'probe';
/** Written just before the power is cut, and not synced. */
const UNSYNCED = 'unsynced';
const PROBE_BYTES = 1 << 16;
const FULL_STEP_MS = 500;
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

  /** Keeps the disk full, also where others remove files; shows that it took nothing most of the time. */
  async stayFull(durationMs: number): Promise<readonly Effect[]> {
    const steps = Math.ceil(durationMs / FULL_STEP_MS);
    let refused = 0;
    for (let step = 0; step < steps; step++) {
      await this.fill();
      if ((await this.refusal()) === 'ENOSPC') refused++;
      await pause(FULL_STEP_MS);
    }
    return [{ what: 'writes refused with ENOSPC', count: refused, atLeast: Math.ceil(steps / 2) }];
  }

  /** The code with which the disk refuses to take something; undefined where it takes it. */
  refusal(): Promise<string | undefined> {
    return refusalOf(join(this.folder, PROBE));
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
    for (const name of [FILLER, PROBE]) await rm(join(this.folder, name), { force: true });
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

  /** From now on nothing reaches the disk, not even what waits in memory for it; shows that it takes nothing more. */
  async cutPower(): Promise<readonly Effect[]> {
    await writeFile(join(this.folder, UNSYNCED), Buffer.alloc(PROBE_BYTES, 'x'));
    await runTool('xfs_io', '-x', '-c', 'shutdown', this.folder);
    const code = await refusalOf(join(this.folder, PROBE));
    return [{ what: 'writes refused with EIO', count: code === 'EIO' ? 1 : 0 }];
  }

  /** Comes back as after a power cut: the journal is replayed. Nobody may have a file of it open; shows what is gone. */
  async restore(): Promise<readonly Effect[]> {
    await unmount(this.folder);
    await this.attach();
    const file = join(this.folder, UNSYNCED);
    const kept = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    await rm(file, { force: true });
    return [{ what: 'unsynced bytes lost', count: PROBE_BYTES - kept }];
  }

  unmount(): Promise<void> {
    return unmount(this.folder);
  }

  private async attach(): Promise<void> {
    await runTool('mount', '-o', 'loop', this.image, this.folder);
  }
}

/** The code with which a file cannot be written; undefined where it can. */
export function refusalOf(file: string): Promise<string | undefined> {
  return writeFile(file, Buffer.alloc(PROBE_BYTES)).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
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
