import { MAX_LISTED_BYTES } from '../page-size';
import type {
  ListSessionDocuments,
  SessionDocument,
  SessionDocumentPage,
  SessionDocuments,
} from '../session-documents';
import { documentOf } from './document-samples';
import { WORKSPACE } from './session-samples';

/** Pages of documents, what has expired, and sums. */
export function describeListsOfDocuments(open: () => Promise<SessionDocuments>): void {
  async function filled(): Promise<SessionDocuments> {
    const store = await open();
    await store.create([
      documentOf({ kind: 'file', id: 'd', createdAtMs: 1_000 }),
      documentOf({ kind: 'file', id: 'b', createdAtMs: 2_000, parentId: 'sesn_1' }),
      documentOf({ kind: 'file', id: 'c', createdAtMs: 2_000, archivedAtMs: 9, parentId: 'sesn_1' }),
      documentOf({ kind: 'file', id: 'a', createdAtMs: 3_000, parentId: 'sesn_2' }),
      documentOf({ kind: 'file', id: 'e', createdAtMs: 4_000, parentId: 'sesn_1' }),
      documentOf({ kind: 'agent', id: 'x' }),
      documentOf({ kind: 'file', id: 'f', workspaceId: WORKSPACE + 1 }),
    ]);
    return store;
  }

  it.each<[Partial<ListSessionDocuments>, string]>([
    [{}, 'dbcae'],
    [{ order: 'descending' }, 'eacbd'],
    [{ limit: 2 }, 'db'],
    [{ workspaceId: WORKSPACE + 1 }, 'f'],
    [{ kind: 'agent' }, 'x'],
    [{ kind: 'vault' }, ''],
    [{ includeArchived: false }, 'dbae'],
    [{ parentId: 'sesn_1' }, 'bce'],
    [{ parentId: 'sesn_1', includeArchived: false, order: 'descending' }, 'eb'],
    [{ parentId: 'sesn_\u0000' }, ''],
    [{ ids: ['e', 'b', 'missing', 'f', 'x', 'b', '\u0000'] }, 'be'],
    [{ ids: ['e', 'b', 'a'], order: 'descending', limit: 2 }, 'ea'],
    [{ ids: ['e', 'a'], parentId: 'sesn_1' }, 'e'],
    [{ ids: [] }, ''],
    [{ createdFromMs: 2_000, createdUpToMs: 3_000 }, 'bca'],
    [{ createdFromMs: 2_000.5, createdUpToMs: 1e16 }, 'ae'],
    [{ after: { createdAtMs: 2_000, id: 'b' } }, 'cae'],
    [{ after: { createdAtMs: 2_000, id: 'c' }, order: 'descending' }, 'bd'],
    [{ after: { createdAtMs: 2_000, id: 'b' }, parentId: 'sesn_1', includeArchived: false }, 'e'],
  ])('lists what is asked for: %j', async (query, expected) => {
    const listed = await (
      await filled()
    ).list({
      workspaceId: WORKSPACE,
      kind: 'file',
      order: 'ascending',
      limit: 10,
      includeArchived: true,
      ...query,
    });
    expect(listed.documents.map(({ id }) => id).join('')).toBe(expected);
  });

  it('lists no more at once than fits into a page, one after the other all of them', async () => {
    const store = await open();
    const large = (id: string, createdAtMs: number, bytes: number) =>
      documentOf({ kind: 'agent', id, createdAtMs, fields: { text: 'ü'.repeat(bytes / 2) } });
    const half = MAX_LISTED_BYTES / 2 - 1_000;
    await store.create([large('a', 1, half), large('b', 2, half), large('c', 3, 10_000)]);
    await store.create([large('d', 4, MAX_LISTED_BYTES + 10_000), large('e', 5, 100)]);
    const query = { workspaceId: WORKSPACE, kind: 'agent', limit: 10, includeArchived: true } as const;
    for (const order of ['ascending', 'descending'] as const) {
      const pages: string[] = [];
      let page: SessionDocumentPage | undefined;
      while (page?.hasMore !== false) {
        const after: SessionDocument | undefined = page?.documents.at(-1);
        page = await store.list({ ...query, order, ...(after && { after }) });
        pages.push(page.documents.map(({ id }) => id).join(''));
      }
      expect(pages).toEqual(order === 'ascending' ? ['ab', 'c', 'd', 'e'] : ['e', 'd', 'cb', 'a']);
    }
  });

  it.each([
    [1, true],
    [4, true],
    [5, false],
    [6, false],
  ])('tells whether there are more than %i', async (limit, hasMore) => {
    const query = { workspaceId: WORKSPACE, kind: 'file', order: 'ascending', includeArchived: true } as const;
    expect((await (await filled()).list({ ...query, limit })).hasMore).toBe(hasMore);
  });

  it('tells what has expired in all workspaces, the earliest first', async () => {
    const store = await open();
    await store.create([
      documentOf({ kind: 'file', id: 'late', expiresAtMs: 3_000 }),
      documentOf({ kind: 'file', id: 'second', expiresAtMs: 2_000, workspaceId: WORKSPACE + 1 }),
      documentOf({ kind: 'file', id: 'first', expiresAtMs: 1_000 }),
      documentOf({ kind: 'file', id: 'never' }),
      documentOf({ kind: 'engine', id: 'other', expiresAtMs: 1_000 }),
    ]);
    const expired = async (nowMs: number, limit: number) =>
      (await store.expired('file', nowMs, limit)).map(({ id }) => id);
    expect(await expired(999, 10)).toEqual([]);
    expect(await expired(2_000, 10)).toEqual(['first', 'second']);
    expect(await expired(1e15, 2)).toEqual(['first', 'second']);
    await store.replace(documentOf({ kind: 'file', id: 'first', expiresAtMs: null }), 1);
    await store.remove(WORKSPACE + 1, 'file', 'second');
    expect(await expired(1e15, 10)).toEqual(['late']);
  });

  it('sums the bytes of the documents that there are', async () => {
    const store = await open();
    const sum = (workspaceId = WORKSPACE) => store.sum(workspaceId, 'file', 'size_bytes');
    const file = (id: string, size_bytes: unknown, workspaceId = WORKSPACE) =>
      documentOf({ kind: 'file', id, workspaceId, fields: { size_bytes } });
    expect(await sum()).toBe(0);
    await store.create([file('a', 5), file('b', 2 ** 40), file('c', 'none'), file('d', 7, WORKSPACE + 1)]);
    await store.create([file('e', 100), file('a', 1_000)]);
    await store.create([documentOf({ kind: 'agent', fields: { size_bytes: 50 } })]);
    expect(await sum()).toBe(5 + 2 ** 40);
    await store.replace(file('b', 10), 1, [file('f', 3)]);
    await store.replace(file('b', 10_000), 1);
    expect(await sum()).toBe(18);
    await store.remove(WORKSPACE, 'file', 'a');
    await Promise.all(Array.from({ length: 8 }, (_, n) => store.create([file(`more_${n}`, 1)])));
    expect(await sum()).toBe(21);
    expect(await sum(WORKSPACE + 1)).toBe(7);
    expect(await store.sum(WORKSPACE, 'agent', 'size_bytes')).toBe(50);
  });
}
