import type { FileStore } from '../file-store';
import { HeldContent, chunksOf, patternOf, putText, ROOM_BYTES, textIn } from './file-samples';

/** More than an implementation holds back, so that something is stored when it breaks off. */
const MUCH_BYTES = 17 * 1024 * 1024;

export function describeBrokenFiles(open: () => Promise<FileStore>): void {
  describe('what breaks off', () => {
    it('is not there before it is whole, and replaces a file at once', async () => {
      const store = await open();
      await putText(store, '7/old', 'old');
      for (const key of ['7/old', '7/new']) {
        const content = new HeldContent([Buffer.from('new '), Buffer.from('text')]);
        const put = store.put({ key, content, maxBytes: ROOM_BYTES });
        await content.reached;
        expect(await textIn(store, key)).toBe(key === '7/old' ? 'old' : undefined);
        content.end();
        await put;
        expect(await textIn(store, key)).toBe('new text');
      }
    });

    it.each([
      ['small', [Buffer.from('new')]],
      ['large', [Buffer.alloc(MUCH_BYTES, 1)]],
    ])('leaves nothing, and an old file as it was: %s content that fails', async (_name, chunks) => {
      const store = await open();
      await putText(store, '7/old', 'old');
      const reason = new Error('the caller went away');
      for (const key of ['7/old', '7/new']) {
        const content = new HeldContent(chunks);
        const put = store.put({ key, content, maxBytes: ROOM_BYTES });
        await content.reached;
        content.fail(reason);
        await expect(put).rejects.toBe(reason);
      }
      expect(await Promise.all([textIn(store, '7/old'), textIn(store, '7/new')])).toEqual(['old', undefined]);
    });

    it.each([
      ['small', [Buffer.from('new')]],
      ['large', [Buffer.alloc(MUCH_BYTES, 1)]],
    ])('breaks off at a signal, though the %s content says nothing', async (_name, chunks) => {
      const store = await open();
      await putText(store, '7/old', 'old');
      for (const key of ['7/old', '7/new']) {
        const content = new HeldContent(chunks);
        const abort = new AbortController();
        const put = store.put({ key, content, maxBytes: ROOM_BYTES, signal: abort.signal });
        await content.reached;
        const reason = new Error('enough');
        abort.abort(reason);
        await expect(put).rejects.toBe(reason);
        content.end();
        await content.letGo;
      }
      expect(await Promise.all([textIn(store, '7/old'), textIn(store, '7/new')])).toEqual(['old', undefined]);
    });

    it('reads nothing when the signal had aborted', async () => {
      const store = await open();
      let isRead = false;
      async function* content(): AsyncGenerator<Uint8Array> {
        isRead = true;
        yield Buffer.from('a');
      }
      const signal = AbortSignal.abort(new Error('too late'));
      const put = store.put({ key: '7/a', content: content(), maxBytes: ROOM_BYTES, signal });
      await expect(put).rejects.toThrow('too late');
      expect([isRead, await textIn(store, '7/a')]).toEqual([false, undefined]);
    });

    it('refuses more than may be, keeps none of it, and reads no further', async () => {
      const store = await open();
      await putText(store, '7/old', 'old');
      for (const [key, maxBytes] of [['7/old', 10] as const, ['7/new', MUCH_BYTES] as const]) {
        let readBytes = 0;
        async function* endless(): AsyncGenerator<Uint8Array> {
          for (;;) {
            const chunk = Buffer.alloc(maxBytes === 10 ? 3 : 1_000_000, 1);
            readBytes += chunk.byteLength;
            yield chunk;
          }
        }
        const put = store.put({ key, content: endless(), maxBytes });
        await expect(put).rejects.toMatchObject({ code: 'payload_too_large' });
        expect(readBytes).toBeLessThanOrEqual(maxBytes + 1_000_000);
      }
      expect(await Promise.all([textIn(store, '7/old'), textIn(store, '7/new')])).toEqual(['old', undefined]);
    });

    it('takes as much as may be', async () => {
      const store = await open();
      const content = () => chunksOf(Buffer.from('abc'), Buffer.from('de'));
      await expect(store.put({ key: '7/a', content: content(), maxBytes: 4 })).rejects.toMatchObject({
        code: 'payload_too_large',
      });
      expect(await store.put({ key: '7/a', content: content(), maxBytes: 5 })).toEqual({ sizeBytes: 5 });
      expect(await store.put({ key: '7/b', content: chunksOf(), maxBytes: 0 })).toEqual({ sizeBytes: 0 });
    });

    it('is one of several that come in under one key, whole', async () => {
      const store = await open();
      const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(1_000));
      await Promise.all(texts.map((text) => putText(store, '7/a', text)));
      expect(texts).toContain(await textIn(store, '7/a'));
    });

    it('does not stop others', async () => {
      const store = await open();
      const held = new HeldContent([Buffer.from('a')]);
      const put = store.put({ key: '7/a', content: held, maxBytes: ROOM_BYTES });
      await held.reached;
      await store.put({ key: '7/b', content: patternOf(10), maxBytes: ROOM_BYTES });
      expect((await store.get('7/b'))?.sizeBytes).toBe(10);
      held.end();
      await put;
    });
  });
}
