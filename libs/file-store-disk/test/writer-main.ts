import { openDiskFileStore } from '../src';

/** A process that stores one file whole, begins another, says so and never ends it. */
async function main(folder: string): Promise<void> {
  const store = await openDiskFileStore({ folder, isShared: false });
  async function* begun(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1_000_000, 1);
    process.stdout.write('begun\n');
    await new Promise<never>(() => undefined);
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('whole');
  }
  await store.put({ key: '7/whole', content: whole(), maxBytes: 10 });
  await store.put({ key: '7/begun', content: begun(), maxBytes: 2_000_000 });
}

// A promise that nobody settles is no reason to live on.
setInterval(() => undefined, 60_000);
void main(process.argv[2] ?? '');
