// Preloaded into the server process by `--import` beside `--expose-gc`: SIGUSR2 collects the garbage and writes what is
// left to `<folder>/<pid>.json`; the folder is in the query of this module's own address.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = new URL(import.meta.url).searchParams.get('folder');

process.on('SIGUSR2', () => {
  // The second time collects what finalizers of the first have let go.
  globalThis.gc?.();
  globalThis.gc?.();
  const file = join(folder, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.new`, file);
});
