import { MemoryFileStore, MemorySessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { fileKey, StoredFiles } from './stored-files';

const HOUR_MS = 3_600_000;
const WORKSPACE = 1;

function setUp(limits = { maxFileBytes: 100, quotaBytes: 1_000 }) {
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs };
  const [store, documents] = [new MemoryFileStore(), new MemorySessionDocuments()];
  const files = new StoredFiles(store, documents, clock, limits);
  const add = (text: string, more = {}) =>
    files.add({ workspaceId: WORKSPACE, filename: 'a.txt', mediaType: 'text/plain', content: bytes(text), ...more });
  const sweep = () => files.sweep(new AbortController().signal);
  const hasBytes = async (id: string) => (await store.get(fileKey(WORKSPACE, id))) !== undefined;
  const notes = async () =>
    (
      await documents.list({
        workspaceId: WORKSPACE,
        kind: 'file_bytes',
        order: 'ascending',
        limit: 1_000,
        includeArchived: true,
      })
    ).length;
  return { clock, store, documents, files, add, sweep, hasBytes, notes };
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

it('removes bytes that a crash left without a file, once no upload can still bring one', async () => {
  const { clock, documents, add, sweep, hasBytes, notes } = setUp();
  jest.spyOn(documents, 'create').mockResolvedValueOnce(true).mockRejectedValueOnce(new Error('killed here'));
  await expect(add('x', { id: 'file_left' })).rejects.toThrow('killed here');
  // The first answer above was made up: the note that a real one would have stored.
  await documents.create([note(clock.nowMs + HOUR_MS)]);
  await sweep();
  expect(await hasBytes('file_left')).toBe(true);
  clock.nowMs += HOUR_MS;
  await sweep();
  expect([await hasBytes('file_left'), await notes()]).toEqual([false, 0]);
});

it('keeps the bytes of a file whose note a crash left behind', async () => {
  const { clock, documents, add, sweep, hasBytes, notes } = setUp();
  const { id } = await add('x', { id: 'file_left' });
  await documents.create([note(clock.nowMs)]);
  await sweep();
  expect([await hasBytes(id), await notes()]).toEqual([true, 0]);
});

function note(expiresAtMs: number) {
  const times = { createdAtMs: 0, updatedAtMs: 0, archivedAtMs: null, expiresAtMs };
  return { workspaceId: WORKSPACE, kind: 'file_bytes' as const, id: 'file_left', parentId: null, ...times, fields: {} };
}

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
  await expect(add('x', { id: 'file_a', more: () => Promise.reject(refused) })).rejects.toBe(refused);
  expect([await hasBytes('file_a'), await notes(), await documents.find(WORKSPACE, 'file', 'file_a')]).toEqual([
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
