import {
  chunksOf,
  describeFileStore,
  HeldContent,
  patternOf,
  putText,
  ROOM_BYTES,
  textIn,
} from '@sluice/agent-sessions/conformance';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDiskFileStore, SHARED_LEFTOVER_AGE_MS, type DiskFileStore } from '../src';
import { killAmidPut } from './writer';

const UNAVAILABLE = { code: 'file_store_unavailable' };

describeFileStore('disk', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  return {
    open: () => openDiskFileStore({ folder: join(parent, 'made', 'files'), isShared: false }),
    destroy: () => rm(parent, { recursive: true, force: true }),
  };
});

describe('DiskFileStore', () => {
  let parent = '';
  let folder = '';
  let store: DiskFileStore;
  const open = (isShared = false) => openDiskFileStore({ folder, isShared });
  /** Every file under the parent of the folder, by its path from there. */
  const filesOnDisk = async () => {
    const entries = await readdir(parent, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(parent.length + 1));
  };

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'sluice-files-'));
    folder = join(parent, 'files');
    store = await open();
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('keeps files for the next process', async () => {
    await putText(store, '7/a', 'kept');
    await store.close();
    expect(await textIn(await open(), '7/a')).toBe('kept');
  });

  it('has nothing of a file that was being stored when the process was killed, and removes what it left', async () => {
    await killAmidPut(folder);
    expect(await filesOnDisk()).toHaveLength(2);
    expect(await textIn(store, '7/begun')).toBeUndefined();
    const next = await open();
    expect(await textIn(next, '7/begun')).toBeUndefined();
    expect(await textIn(next, '7/whole')).toBe('whole');
    expect(await filesOnDisk()).toEqual(['files/7/whole.file']);
  });

  it('leaves nothing on the disk that breaks off', async () => {
    const held = new HeldContent([Buffer.alloc(1_000_000)]);
    const put = store.put({ key: '7/a', content: held, maxBytes: ROOM_BYTES });
    await held.reached;
    expect(await filesOnDisk()).toHaveLength(1);
    held.fail(new Error('broken'));
    await expect(put).rejects.toThrow('broken');
    await expect(store.put({ key: '7/a', content: patternOf(11), maxBytes: 10 })).rejects.toThrow();
    expect(await filesOnDisk()).toEqual([]);
  });

  it('keeps what others have begun in a shared folder, and removes it when it is old', async () => {
    const held = new HeldContent([Buffer.from('begun')]);
    const put = store.put({ key: '7/a', content: held, maxBytes: ROOM_BYTES });
    await held.reached;
    const old = join(folder, '.incoming', 'left-behind');
    await writeFile(old, 'old');
    const oldS = (Date.now() - SHARED_LEFTOVER_AGE_MS) / 1000 - 1;
    await utimes(old, oldS, oldS);
    await open(true);
    expect(await readdir(join(folder, '.incoming'))).toHaveLength(1);
    held.end();
    await put;
    expect(await textIn(store, '7/a')).toBe('begun');
  });

  it('tells a put whose beginning was removed', async () => {
    const held = new HeldContent([Buffer.from('begun')]);
    const put = store.put({ key: '7/a', content: held, maxBytes: ROOM_BYTES });
    await held.reached;
    await open(false);
    held.end();
    await expect(put).rejects.toMatchObject(UNAVAILABLE);
    expect(await textIn(store, '7/a')).toBeUndefined();
  });

  it('lets only its owner read and write', async () => {
    await putText(store, '7/deep/a', 'a');
    const modes = [];
    for (const path of ['', '.incoming', '7', '7/deep', '7/deep/a.file']) {
      modes.push(((await stat(join(folder, path))).mode & 0o777).toString(8));
    }
    expect(modes).toEqual(['700', '700', '700', '700', '600']);
  });

  it('stores under the folder and nowhere else, as the bytes are', async () => {
    await writeFile(join(parent, 'secret.file'), 'secret');
    for (const key of ['../secret', '7/../../secret', '/secret']) {
      await expect(store.get(key)).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(putText(store, key, 'x')).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(store.remove(key)).rejects.toMatchObject({ code: 'invalid_request' });
    }
    await putText(store, '7/a', 'text');
    expect((await filesOnDisk()).sort()).toEqual(['files/7/a.file', 'secret.file']);
    expect(await readFile(join(folder, '7/a.file'), 'utf8')).toBe('text');
    expect(await readFile(join(parent, 'secret.file'), 'utf8')).toBe('secret');
  });

  it('says that it is away when its folder is, rather than that there are no files', async () => {
    await putText(store, '7/a', 'a');
    await rename(folder, `${folder}-away`);
    await expect(store.get('7/a')).rejects.toMatchObject(UNAVAILABLE);
    await expect(putText(store, '7/b', 'b')).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.remove('7/a')).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.check()).rejects.toMatchObject(UNAVAILABLE);
    expect(await filesOnDisk()).toEqual(['files-away/7/a.file']);
    await rename(`${folder}-away`, folder);
    expect(await textIn(store, '7/a')).toBe('a');
    await store.check();
    expect(await filesOnDisk()).toEqual(['files/7/a.file']);
  });

  it('cannot be opened where there is a file, and keeps the path out of what it shows', async () => {
    const path = join(parent, 'taken');
    await writeFile(path, '');
    const opening = openDiskFileStore({ folder: path, isShared: false });
    await expect(opening).rejects.toMatchObject(UNAVAILABLE);
    await expect(opening).rejects.not.toThrow(path);
  });

  it('tells when a folder stands where a file should come', async () => {
    await mkdir(join(folder, '7', 'a.file'), { recursive: true });
    await expect(putText(store, '7/a', 'a')).rejects.toMatchObject(UNAVAILABLE);
    expect(await readdir(join(folder, '.incoming'))).toEqual([]);
  });

  it('breaks off reading a file that was replaced, removed or cut meanwhile', async () => {
    const textOf = async (change: () => Promise<void>) => {
      await putText(store, '7/a', 'first');
      const file = await store.get('7/a');
      await change();
      const read = [];
      for await (const chunk of file?.content ?? chunksOf()) read.push(Buffer.from(chunk).toString());
      return read.join('');
    };
    await expect(textOf(() => putText(store, '7/a', 'other'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(textOf(() => store.remove('7/a'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(textOf(() => truncate(join(folder, '7/a.file'), 2))).rejects.toMatchObject(UNAVAILABLE);
    await expect(textOf(async () => undefined)).resolves.toBe('first');
  });

  it('gives the file to its end that a reader had begun, though another takes its place', async () => {
    const sizeBytes = 1_000_000;
    await store.put({ key: '7/a', content: chunksOf(Buffer.alloc(sizeBytes, 1)), maxBytes: ROOM_BYTES });
    let readBytes = 0;
    for await (const chunk of (await store.get('7/a'))?.content ?? chunksOf()) {
      if (readBytes === 0) await store.put({ key: '7/a', content: chunksOf(Buffer.alloc(9, 2)), maxBytes: ROOM_BYTES });
      readBytes += chunk.byteLength;
      expect(chunk.every((byte) => byte === 1)).toBe(true);
    }
    expect(readBytes).toBe(sizeBytes);
  });

  it('closes every file, also of readers that go away', async () => {
    await putText(store, '7/a', 'abc');
    const openFiles = async () => (await readdir('/dev/fd')).length;
    const before = await openFiles();
    for (let reader = 0; reader < 50; reader++) {
      const file = await store.get('7/a');
      for await (const chunk of file?.content ?? chunksOf()) if (chunk.length > 0) break;
      await store.get('7/a');
      await store.put({ key: '7/b', content: patternOf(11), maxBytes: 10 }).catch(() => undefined);
    }
    expect(await openFiles()).toBeLessThan(before + 10);
  });

  it('stores and reads a file of 200 MB in a small part of its size (G9)', async () => {
    const [sizeBytes, pieceBytes] = [200_000_000, 100_000];
    let peakBytes = 0;
    const before = process.memoryUsage().arrayBuffers;
    const measure = () => (peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - before));
    async function* content(): AsyncGenerator<Uint8Array> {
      const piece = Buffer.alloc(pieceBytes);
      for (let at = 0; at < sizeBytes; at += pieceBytes) {
        yield piece.fill(at / pieceBytes);
        if (at % 1_000_000 === 0) measure();
      }
    }
    expect(await store.put({ key: '7/a', content: content(), maxBytes: sizeBytes })).toEqual({ sizeBytes });
    let [place, wrong] = [0, 0];
    for await (const chunk of (await store.get('7/a'))?.content ?? chunksOf()) {
      if (chunk[0] !== (Math.floor(place / pieceBytes) & 0xff)) wrong++;
      place += chunk.byteLength;
      measure();
    }
    expect([place, wrong]).toEqual([sizeBytes, 0]);
    expect(peakBytes).toBeLessThan(sizeBytes / 2);
  });
});
