import { describeFileStore } from './conformance';
import { MAX_MEMORY_FILE_BYTES, MemoryFileStore } from './memory-file-store';

describeFileStore('memory', async () => ({
  open: async () => new MemoryFileStore(),
  destroy: async () => undefined,
}));

describe('MemoryFileStore', () => {
  /** Says that it is that large; the store copies only what there is. */
  const chunkOf = (byteLength: number) => Object.defineProperty(new Uint8Array(1), 'byteLength', { value: byteLength });

  it('has room for so many bytes, and for as many again once they are removed', async () => {
    const store = new MemoryFileStore();
    const put = (key: string, sizeBytes: number) => {
      async function* content(): AsyncGenerator<Uint8Array> {
        yield chunkOf(sizeBytes);
      }
      return store.put({ key, content: content(), maxBytes: Infinity });
    };
    await put('7/a', MAX_MEMORY_FILE_BYTES - 1);
    await put('7/b', 1);
    await expect(put('7/c', 1)).rejects.toMatchObject({ code: 'file_store_unavailable' });
    expect(await store.get('7/c')).toBeUndefined();
    await store.remove('7/a');
    await store.remove('7/a');
    await put('7/c', MAX_MEMORY_FILE_BYTES - 1);
    await expect(put('7/d', 1)).rejects.toMatchObject({ code: 'file_store_unavailable' });
  });
});
