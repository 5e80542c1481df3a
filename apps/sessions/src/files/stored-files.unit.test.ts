import { MemoryFileStore, MemorySessionDocuments, type PutFile } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { StoredFiles } from './stored-files';

const HOUR_MS = 3_600_000;
const WORKSPACE = 1;

/** Remembers under which keys there were bytes. */
class WatchedStore extends MemoryFileStore {
  readonly keys = new Set<string>();

  override put(file: PutFile) {
    this.keys.add(file.key);
    return super.put(file);
  }

  async bytesOf(fileId: string): Promise<string[]> {
    const found: string[] = [];
    for (const key of [...this.keys].filter((one) => one.startsWith(`${WORKSPACE}/${fileId}`))) {
      const file = await this.get(key);
      if (!file) continue;
      const chunks: Uint8Array[] = [];
      for await (const chunk of file.content) chunks.push(chunk);
      found.push(Buffer.concat(chunks).toString());
    }
    return found;
  }
}

function setUp(limits = { maxFileBytes: 100, quotaBytes: 1_000 }) {
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs };
  const [store, documents] = [new WatchedStore(), new MemorySessionDocuments()];
  const faults: unknown[] = [];
  const files = new StoredFiles(store, documents, clock, limits, (error) => faults.push(error));
  const add = (text: string, more = {}) =>
    files.add({ workspaceId: WORKSPACE, filename: 'a.txt', mediaType: 'text/plain', content: bytes(text), ...more });
  const sweep = () => files.sweep(new AbortController().signal);
  const hasBytes = async (id: string) => (await store.bytesOf(id)).length > 0;
  const notes = async () =>
    (
      await documents.list({
        workspaceId: WORKSPACE,
        kind: 'file_bytes',
        order: 'ascending',
        limit: 1_000,
        includeArchived: true,
      })
    ).documents.length;
  return { clock, store, documents, files, faults, add, sweep, hasBytes, notes };
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const ID = `file_${'a'.repeat(32)}`;

it('removes bytes that a crash left without a file, once no upload can still bring one', async () => {
  const { clock, documents, add, sweep, hasBytes, notes } = setUp();
  const create = documents.create.bind(documents);
  jest.spyOn(documents, 'create').mockImplementationOnce(create).mockRejectedValueOnce(new Error('killed here'));
  await expect(add('x', { id: ID })).rejects.toThrow('killed here');
  await sweep();
  expect(await hasBytes(ID)).toBe(true);
  clock.nowMs += HOUR_MS;
  await sweep();
  expect([await hasBytes(ID), await notes()]).toEqual([false, 0]);
});

it('keeps the bytes of a file whose note a crash left behind', async () => {
  const { clock, documents, add, sweep, hasBytes, notes } = setUp();
  const remove = jest.spyOn(documents, 'remove').mockRejectedValueOnce(new Error('killed here'));
  await expect(add('x', { id: ID })).rejects.toThrow('killed here');
  expect([remove.mock.calls.length, await notes()]).toEqual([1, 1]);
  clock.nowMs += HOUR_MS;
  await sweep();
  expect([await hasBytes(ID), await notes()]).toEqual([true, 0]);
});

it.each(['a.b', '../a', 'file_a', 'file_none', ID])(
  'answers not_found to the removal of %s and notes nothing',
  async (id) => {
    const { files, notes } = setUp();
    await expect(files.remove(WORKSPACE, id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await notes()).toBe(0);
  },
);

it('goes on with other leftovers when one cannot be removed, and tries that one again later', async () => {
  const { clock, store, documents, faults, add, sweep, hasBytes, notes } = setUp();
  const create = documents.create.bind(documents);
  for (const id of ['bad', 'good']) {
    jest.spyOn(documents, 'create').mockImplementationOnce(create).mockRejectedValueOnce(new Error('killed here'));
    await expect(add('x', { id })).rejects.toThrow('killed here');
    clock.nowMs += 1;
  }
  clock.nowMs += HOUR_MS;
  const remove = store.remove.bind(store);
  let isDown = true;
  jest
    .spyOn(store, 'remove')
    .mockImplementation((key) =>
      isDown && key.includes('bad') ? Promise.reject(new SluiceError('file_store_unavailable', 'no')) : remove(key),
    );
  await sweep();
  expect([await hasBytes('bad'), await hasBytes('good'), await notes(), faults.length]).toEqual([true, false, 1, 1]);
  await sweep();
  expect(faults).toHaveLength(1);
  isDown = false;
  clock.nowMs += HOUR_MS;
  await sweep();
  expect([await hasBytes('bad'), await notes()]).toEqual([false, 0]);
});

describe('an upload that is repeated while the first is under way', () => {
  /** Content that goes on, or breaks off, when it is told to. */
  function blocked(text: string) {
    let goOn: () => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    const gate = new Promise<void>((resolve, reject) => ([goOn, fail] = [resolve, reject]));
    gate.catch(() => undefined);
    async function* content() {
      yield Buffer.from(text);
      await gate;
    }
    return { content: content(), goOn, fail };
  }

  it('keeps the bytes of the one that was answered when the other breaks off', async () => {
    const { store, documents, add, notes } = setUp();
    const first = blocked('first');
    const adding = add('', { id: ID, content: first.content });
    const second = await add('second', { id: ID });
    first.fail(new Error('The caller went away'));
    await expect(adding).rejects.toThrow('The caller went away');
    expect(await documents.find(WORKSPACE, 'file', ID)).toEqual(second);
    expect([await store.bytesOf(ID), await notes()]).toEqual([['second'], 0]);
  });

  it('answers the first that was stored to both, and keeps its bytes only', async () => {
    const { store, files, add, notes } = setUp();
    const first = blocked('first');
    const adding = add('', { id: ID, content: first.content });
    const second = await add('second', { id: ID });
    first.goOn();
    expect(await adding).toEqual(second);
    expect([await store.bytesOf(ID), await notes()]).toEqual([['second'], 0]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await files.read(second)).content) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('second');
  });
});

it('removes files whose time has come, at most a batch in one go', async () => {
  const { clock, documents, add, sweep, hasBytes, notes } = setUp();
  const ids: string[] = [];
  for (let index = 0; index < 150; index++) {
    ids.push((await add('x', { more: () => Promise.resolve({ expiresInMs: HOUR_MS }) })).id);
  }
  const kept = await add('y');
  expect(await sweep()).toBe(false);
  clock.nowMs += HOUR_MS;
  expect(await sweep()).toBe(true);
  expect(await sweep()).toBe(false);
  expect(await documents.sum(WORKSPACE, 'file', 'size_bytes')).toBe(1);
  expect(await Promise.all([...ids, kept.id].map(hasBytes))).toEqual([...ids.map(() => false), true]);
  expect(await notes()).toBe(0);
});

it('keeps nothing of a file when what is told after it is refused', async () => {
  const { add, hasBytes, notes, documents } = setUp();
  const refused = new SluiceError('invalid_request', 'no');
  await expect(add('x', { id: ID, more: () => Promise.reject(refused) })).rejects.toBe(refused);
  expect([await hasBytes(ID), await notes(), await documents.find(WORKSPACE, 'file', ID)]).toEqual([
    false,
    0,
    undefined,
  ]);
});

it('tells a file that is too large from a workspace that is full', async () => {
  const { add } = setUp({ maxFileBytes: 10, quotaBytes: 15 });
  await expect(add('x'.repeat(11))).rejects.toMatchObject({ code: 'payload_too_large' });
  await add('x'.repeat(10));
  await expect(add('x'.repeat(6))).rejects.toMatchObject({ sdkCode: 'storage_quota_exceeded' });
  await add('x'.repeat(5));
  await expect(add('')).rejects.toMatchObject({ sdkCode: 'storage_quota_exceeded' });
});

describe('room for uploads that come in at the same time', () => {
  const never = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<Uint8Array>>(() => undefined) }),
  };
  const held = { code: 'overloaded', retryAfterMs: expect.any(Number) };

  it('is held by each from its beginning', async () => {
    const { add, notes } = setUp({ maxFileBytes: 10, quotaBytes: 25 });
    const gone = new AbortController();
    const slow = [1, 2].map(() => add('', { content: never, signal: gone.signal }).catch(() => 'gone'));
    await until(async () => (await notes()) === 2);
    await expect(add('x'.repeat(6))).rejects.toMatchObject(held);
    await add('x'.repeat(5), { atMostBytes: 5 });
    gone.abort(new Error('gone'));
    expect(await Promise.all(slow)).toEqual(['gone', 'gone']);
    await add('x'.repeat(10));
  });

  it('is not given twice to uploads that begin at once', async () => {
    const { documents, add } = setUp({ maxFileBytes: 10, quotaBytes: 25 });
    await Promise.allSettled([1, 2, 3, 4].map(() => add('x'.repeat(10))));
    expect(await documents.sum(WORKSPACE, 'file', 'size_bytes')).toBeLessThanOrEqual(25);
  });

  async function until(isReached: () => Promise<boolean>) {
    while (!(await isReached())) await new Promise((resolve) => setImmediate(resolve));
  }
});

it('gives the room back of what did not come in, though the store is away', async () => {
  const { store, documents, add, sweep, notes, clock } = setUp({ maxFileBytes: 100, quotaBytes: 150 });
  const away = () => Promise.reject(new SluiceError('file_store_unavailable', 'away'));
  jest.spyOn(store, 'put').mockImplementationOnce(away).mockImplementationOnce(away);
  jest.spyOn(store, 'remove').mockImplementationOnce(away).mockImplementationOnce(away);
  for (let n = 0; n < 2; n++) await expect(add('x', { atMostBytes: 100 })).rejects.toThrow('away');
  expect(await documents.sum(WORKSPACE, 'file_bytes', 'size_bytes')).toBe(0);
  await add('y'.repeat(100));
  clock.nowMs += HOUR_MS;
  await sweep();
  expect(await notes()).toBe(0);
});
