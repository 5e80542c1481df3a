import {
  bytesOf,
  chunksOf,
  describeFileStore,
  HeldContent,
  putText,
  ROOM_BYTES,
  textIn,
} from '@sluice/agent-sessions/conformance';
import { PART_BYTES } from '../src/parts';
import { BadNetwork } from './bad-network';
import { S3Server } from './s3-server';

const UNAVAILABLE = { code: 'file_store_unavailable' };

describeFileStore('S3', async () => {
  const server = await S3Server.start();
  return { open: async () => server.open(), destroy: () => server.stop() };
});

describe('S3FileStore', () => {
  let server: S3Server;
  beforeEach(async () => {
    server = await S3Server.start();
  });
  afterEach(() => server.stop());

  it('keeps files for the next process', async () => {
    await putText(server.open(), '7/a', 'kept');
    expect(await textIn(server.open(), '7/a')).toBe('kept');
  });

  it.each([
    ['one part', [PART_BYTES], ['PUT']],
    ['one part and a byte', [PART_BYTES, 1], ['POST', 'PUT', 'PUT', 'POST']],
    ['chunks over the border of parts', [PART_BYTES - 1, PART_BYTES, 1], ['POST', 'PUT', 'PUT', 'POST']],
  ])('stores %s', async (_name, chunkSizes, methods) => {
    const store = server.open();
    const chunks = chunkSizes.map((chunkBytes, at) => Buffer.alloc(chunkBytes, at + 1));
    await store.put({ key: '7/a', content: chunksOf(...chunks), maxBytes: ROOM_BYTES });
    expect(server.requests.map(({ line }) => line.split(' ')[0])).toEqual(methods);
    const stored = await bytesOf((await store.get('7/a'))?.content ?? chunksOf());
    expect(Buffer.compare(stored, Buffer.concat(chunks))).toBe(0);
  });

  it('gives back the room of parts of what breaks off', async () => {
    const store = server.open();
    const large = (parts: number) => chunksOf(...Array.from({ length: parts }, () => Buffer.alloc(PART_BYTES)));
    const uploadsAborted = () => server.requests.filter(({ line }) => /^DELETE .*[?&]uploadId=/.test(line)).length;
    const held = new HeldContent([Buffer.alloc(3 * PART_BYTES)]);
    const put = store.put({ key: '7/a', content: held, maxBytes: ROOM_BYTES });
    await held.reached;
    held.fail(new Error('broken'));
    await expect(put).rejects.toThrow('broken');
    expect(uploadsAborted()).toBe(1);
    const tooLarge = store.put({ key: '7/a', content: large(4), maxBytes: 4 * PART_BYTES - 1 });
    await expect(tooLarge).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(uploadsAborted()).toBe(2);
    await store.put({ key: '7/a', content: large(2), maxBytes: ROOM_BYTES });
    expect(uploadsAborted()).toBe(2);
  });

  it('says that it is away when its bucket is, rather than that there are no files', async () => {
    const store = server.open({ bucket: 'no-such-bucket' });
    await expect(store.get('7/a')).rejects.toMatchObject(UNAVAILABLE);
    await expect(putText(store, '7/a', 'a')).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.check()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('says that it is away when it does not know the credentials, and does not show them', async () => {
    const store = server.open({ credentials: { accessKeyId: 'nobody', secretAccessKey: 'hunter2-hunter2' } });
    const uses = [
      () => store.check(),
      () => store.get('7/a'),
      () => store.remove('7/a'),
      () => putText(store, '7/a', 'a'),
    ];
    for (const use of uses) {
      const error: unknown = await use().catch((reason: unknown) => reason);
      expect(error).toMatchObject(UNAVAILABLE);
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    }
  });

  it('says that it is away when nobody listens', async () => {
    const gone = await BadNetwork.silent();
    await gone.end();
    const store = server.open({ endpoint: gone.endpoint });
    await expect(store.check()).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.get('7/a')).rejects.toMatchObject(UNAVAILABLE);
    await expect(
      store.put({ key: '7/a', content: chunksOf(Buffer.alloc(PART_BYTES + 1)), maxBytes: ROOM_BYTES }),
    ).rejects.toMatchObject(UNAVAILABLE);
  });

  it('does not wait for ever for a server that says nothing, and lets a signal end the wait', async () => {
    const silent = await BadNetwork.silent();
    await expect(server.open({ endpoint: silent.endpoint, timeoutMs: 50 }).check()).rejects.toMatchObject(UNAVAILABLE);
    const abort = new AbortController();
    const held = new HeldContent([Buffer.from('a')]);
    const { signal } = abort;
    const put = server.open({ endpoint: silent.endpoint }).put({ key: '7/a', content: held, maxBytes: 1, signal });
    await held.reached;
    held.end();
    await held.letGo;
    abort.abort(new Error('enough'));
    await expect(put).rejects.toThrow('enough');
    await silent.end();
  });

  it('tells a reader whose connection was cut that there is more', async () => {
    await server.open().put({ key: '7/a', content: chunksOf(Buffer.alloc(1_000_000)), maxBytes: ROOM_BYTES });
    const network = await BadNetwork.cutting(server.endpoint, 500_000);
    const file = await server.open({ endpoint: network.endpoint }).get('7/a');
    expect(file?.sizeBytes).toBe(1_000_000);
    await expect(bytesOf(file?.content ?? chunksOf())).rejects.toMatchObject(UNAVAILABLE);
    await network.end();
  });

  it('breaks off reading a file that was replaced or removed meanwhile', async () => {
    const store = server.open();
    const readAfter = async (change: () => Promise<void>) => {
      await putText(store, '7/a', 'first');
      const file = await store.get('7/a');
      await change();
      return bytesOf(file?.content ?? chunksOf());
    };
    await expect(readAfter(() => putText(store, '7/a', 'longer'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(readAfter(() => putText(store, '7/a', 'less'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(readAfter(() => store.remove('7/a'))).rejects.toMatchObject(UNAVAILABLE);
    const reads = server.requests.filter(({ line }) => line.startsWith('GET '));
    expect(reads).toHaveLength(3);
    expect(reads.every(({ ifMatch }) => /^"[0-9a-f]{32}"$/.test(ifMatch ?? ''))).toBe(true);
  });

  it('has connections left, however many readers never read or go away', async () => {
    const store = server.open();
    await store.put({ key: '7/a', content: chunksOf(Buffer.alloc(2_000_000)), maxBytes: ROOM_BYTES });
    for (let reader = 0; reader < 60; reader++) {
      await store.get('7/a');
      for await (const chunk of (await store.get('7/a'))?.content ?? chunksOf()) if (chunk.length > 0) break;
    }
    expect((await bytesOf((await store.get('7/a'))?.content ?? chunksOf())).length).toBe(2_000_000);
  });

  it('has connections left for all else while readers stand still amid their file', async () => {
    const store = server.open();
    await store.put({ key: '7/a', content: chunksOf(Buffer.alloc(2_000_000)), maxBytes: ROOM_BYTES });
    const standing: AsyncIterator<Uint8Array>[] = [];
    for (let reader = 0; reader < 60; reader++) {
      const file = await store.get('7/a');
      const chunks = (file?.content ?? chunksOf())[Symbol.asyncIterator]();
      await chunks.next();
      standing.push(chunks);
    }
    await store.check();
    await putText(store, '7/b', 'stored');
    expect(await textIn(store, '7/b')).toBe('stored');
    for (const chunks of standing) await chunks.return?.();
  });

  it('refuses a put when those under way hold as much as they may, and takes it when they are done', async () => {
    const store = server.open({ maxHeldBytes: PART_BYTES + 100_000 });
    const held = new HeldContent([Buffer.alloc(PART_BYTES - 1)]);
    const put = store.put({ key: '7/a', content: held, maxBytes: ROOM_BYTES });
    await held.reached;
    const large = () => store.put({ key: '7/b', content: chunksOf(Buffer.alloc(200_000)), maxBytes: ROOM_BYTES });
    await expect(large()).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterMs: expect.any(Number) });
    await putText(store, '7/c', 'small');
    held.end();
    await put;
    expect(await large()).toEqual({ sizeBytes: 200_000 });
  });

  it('holds one part of a large file and no more (G9)', async () => {
    const store = server.open();
    const sizeBytes = 6 * PART_BYTES;
    const piece = Buffer.alloc(1024 * 1024, 1);
    const storedBytes = () => server.requests.reduce((bytes, { bodyBytes }) => bytes + bodyBytes, 0);
    let mostHeldBytes = 0;
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < sizeBytes; at += piece.byteLength) {
        mostHeldBytes = Math.max(mostHeldBytes, at - storedBytes());
        yield piece;
      }
    }
    expect(await store.put({ key: '7/a', content: content(), maxBytes: sizeBytes })).toEqual({ sizeBytes });
    expect(storedBytes()).toBeGreaterThanOrEqual(sizeBytes);
    expect(mostHeldBytes).toBeLessThanOrEqual(PART_BYTES + piece.byteLength);
  });
});
