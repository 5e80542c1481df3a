import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepFile } from './keep-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-keep-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('keepFile', () => {
  it('makes a file that its owner alone can read, and replaces it', async () => {
    const path = join(folder, 'secrets.json');
    await keepFile(path, 'a longer first text');
    await keepFile(path, 'second');
    expect(await readFile(path, 'utf8')).toBe('second');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['secrets.json']);
  });

  it('leaves what was there where it cannot write', async () => {
    const path = join(folder, 'secrets.json');
    await keepFile(path, 'first');
    await mkdir(`${path}.new`);
    await expect(keepFile(path, 'second')).rejects.toThrow('EISDIR');
    expect(await readFile(path, 'utf8')).toBe('first');
  });
});
