import { SluiceError } from '@sluice/event-log';
import { MAX_FILE_KEY_LENGTH } from '../file-content';
import type { FileStore } from '../file-store';
import { bytesOf, chunksOf, patternAt, patternOf, putText, ROOM_BYTES, textIn } from './file-samples';

export function describeWholeFiles(open: () => Promise<FileStore>): void {
  describe('files', () => {
    it('are given back as they were, whatever their size', async () => {
      const store = await open();
      for (const [at, sizeBytes] of [0, 1, 65_536, 300_000].entries()) {
        const key = `7/file_${at}`;
        expect(await store.put({ key, content: patternOf(sizeBytes), maxBytes: ROOM_BYTES })).toEqual({ sizeBytes });
        const file = await store.get(key);
        expect(file?.sizeBytes).toBe(sizeBytes);
        const bytes = await bytesOf(file?.content ?? chunksOf());
        expect(bytes.byteLength).toBe(sizeBytes);
        expect(bytes.findIndex((byte, place) => byte !== patternAt(place))).toBe(-1);
      }
    });

    it('keep large content in its order', async () => {
      const store = await open();
      const sizeBytes = 17 * 1024 * 1024 + 5;
      const key = '7/large';
      expect(await store.put({ key, content: patternOf(sizeBytes), maxBytes: sizeBytes })).toEqual({ sizeBytes });
      let place = 0;
      let wrong = 0;
      for await (const chunk of (await store.get(key))?.content ?? chunksOf()) {
        for (let at = 0; at < chunk.length; at++) if (chunk[at] !== patternAt(place++)) wrong++;
      }
      expect([place, wrong]).toEqual([sizeBytes, 0]);
    });

    it('are what was given, though the producer uses its chunk again', async () => {
      const store = await open();
      async function* reusing(): AsyncGenerator<Uint8Array> {
        const chunk = Buffer.alloc(3);
        for (const text of ['one', 'two', 'six', '   ']) {
          chunk.write(text);
          yield chunk;
        }
        chunk.write('bad');
      }
      await store.put({ key: '7/a', content: reusing(), maxBytes: 12 });
      expect(await textIn(store, '7/a')).toBe('onetwosix   ');
    });

    it('stay what they are, though a reader changes what it was given', async () => {
      const store = await open();
      await putText(store, '7/a', 'abc');
      for await (const chunk of (await store.get('7/a'))?.content ?? chunksOf()) chunk.fill(0);
      expect(await textIn(store, '7/a')).toBe('abc');
    });

    it('may have empty chunks', async () => {
      const store = await open();
      const content = chunksOf(
        new Uint8Array(),
        Buffer.from('a'),
        new Uint8Array(),
        Buffer.from('b'),
        new Uint8Array(),
      );
      expect(await store.put({ key: '7/a', content, maxBytes: 2 })).toEqual({ sizeBytes: 2 });
      expect(await textIn(store, '7/a')).toBe('ab');
    });

    it('are undefined where there are none', async () => {
      const store = await open();
      await putText(store, '7/folder/a', 'a');
      for (const key of ['7/b', '7', '7/folder', '7/folder/a/b', '8/folder/a']) {
        expect(await store.get(key)).toBeUndefined();
      }
    });

    it('have names that are folders of others', async () => {
      const store = await open();
      for (const key of ['7/a/b', '7/a', '7', '7/a/b/c']) await putText(store, key, key);
      for (const key of ['7', '7/a', '7/a/b', '7/a/b/c']) expect(await textIn(store, key)).toBe(key);
    });

    it('are gone once they are removed, as often as that is asked', async () => {
      const store = await open();
      for (const key of ['7/a', '7/a/b', '8/a']) await putText(store, key, key);
      await store.remove('7/a');
      await store.remove('7/a');
      await store.remove('9/never');
      const left = await Promise.all(['7/a', '7/a/b', '8/a'].map((key) => textIn(store, key)));
      expect(left).toEqual([undefined, '7/a/b', '8/a']);
      await putText(store, '7/a', 'again');
      expect(await textIn(store, '7/a')).toBe('again');
    });

    it('are read by many at once, each at its own pace', async () => {
      const store = await open();
      await store.put({ key: '7/a', content: patternOf(300_000), maxBytes: ROOM_BYTES });
      const [one, other, third] = await Promise.all([store.get('7/a'), store.get('7/a'), store.get('7/a')]);
      for await (const chunk of one?.content ?? chunksOf()) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      const sizes = await Promise.all(
        [other, third].map(async (file) => (await bytesOf(file?.content ?? chunksOf())).length),
      );
      expect(sizes).toEqual([300_000, 300_000]);
    });

    it('come in many at once', async () => {
      const store = await open();
      const keys = Array.from({ length: 20 }, (_, at) => `${at % 3}/file_${at}`);
      await Promise.all(keys.map((key) => putText(store, key, key)));
      expect(await Promise.all(keys.map((key) => textIn(store, key)))).toEqual(keys);
    });

    it.each([
      '',
      '/',
      '/etc/passwd',
      '7/',
      '7//a',
      '.',
      '..',
      '../a',
      '7/../a',
      '7/./a',
      '7/a.b',
      '7\\a',
      '7/a\u0000',
      '7/a\n',
      '7/é',
      '7/%2e%2e',
      '~/a',
      'x'.repeat(MAX_FILE_KEY_LENGTH + 1),
    ])('have no key like %j', async (key) => {
      const store = await open();
      const refused = { code: 'invalid_request', where: 'key' };
      await expect(store.put({ key, content: chunksOf(), maxBytes: 1 })).rejects.toMatchObject(refused);
      await expect(store.get(key)).rejects.toMatchObject(refused);
      await expect(store.remove(key)).rejects.toMatchObject(refused);
      await expect(store.get(key)).rejects.toBeInstanceOf(SluiceError);
    });

    it('have keys of the longest kind', async () => {
      const store = await open();
      const key = `7/${'x'.repeat(MAX_FILE_KEY_LENGTH - 2)}`;
      await putText(store, key, 'long');
      expect(await textIn(store, key)).toBe('long');
    });
  });
}
