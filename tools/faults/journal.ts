import { open, readFile, type FileHandle } from 'node:fs/promises';
import type { Mark } from './mark';

/**
 * What was acknowledged, as a file: an acknowledgement counts when its line is on the disk. Acknowledgements that come
 * while the disk is busy share the next write.
 */
export class Journal {
  /** Acknowledgements on the disk. */
  count = 0;
  private waiting: { readonly line: string; readonly done: () => void; readonly failed: (error: unknown) => void }[] =
    [];
  private writing: Promise<void> | undefined;

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
  ) {}

  static async open(file: string): Promise<Journal> {
    return new Journal(file, await open(file, 'a'));
  }

  /** Every acknowledged number of each entity. */
  static async read(file: string): Promise<ReadonlyMap<string, readonly number[]>> {
    const acknowledged = new Map<string, number[]>();
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      const [entity, n] = line.split(' ');
      if (entity === undefined || n === undefined) continue;
      const numbers = acknowledged.get(entity);
      if (numbers) numbers.push(Number(n));
      else acknowledged.set(entity, [Number(n)]);
    }
    return acknowledged;
  }

  /** Resolves when the acknowledgement is on the disk. */
  acknowledge({ entity, n }: Mark): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ line: `${entity} ${n}\n`, done, failed });
      this.writing ??= this.write().finally(() => (this.writing = undefined));
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.writing;
    await this.handle.close();
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0);
      try {
        await this.handle.appendFile(batch.map(({ line }) => line).join(''));
        await this.handle.datasync();
        this.count += batch.length;
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
  }
}
