import type { SessionDocuments } from '../session-documents';
import { documentOf } from './document-samples';
import { ODD_TEXT, WORKSPACE } from './session-samples';

const RACERS = 8;

/** Documents one by one. */
export function describeChangesOfDocuments(open: () => Promise<SessionDocuments>): void {
  it('gives a document back as it was stored, at every replica', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.find(WORKSPACE, 'agent', 'agent_1')).toBeUndefined();
    const rich = documentOf({ parentId: 'sesn_1', archivedAtMs: 3_000, expiresAtMs: 4_000 });
    expect(await one.create([documentOf(), { ...rich, id: 'agent_2' }])).toBe(true);
    expect(await other.find(WORKSPACE, 'agent', 'agent_1')).toEqual({ ...documentOf(), version: 1 });
    expect(await other.find(WORKSPACE, 'agent', 'agent_2')).toEqual({ ...rich, id: 'agent_2', version: 1 });
    expect(await other.find(WORKSPACE, 'agent', ODD_TEXT)).toBeUndefined();
  });

  it('keeps kinds and workspaces apart (G8)', async () => {
    const store = await open();
    await store.create([documentOf(), documentOf({ kind: 'engine' }), documentOf({ workspaceId: WORKSPACE + 1 })]);
    expect(await store.find(WORKSPACE, 'environment', 'agent_1')).toBeUndefined();
    expect(await store.find(WORKSPACE + 2, 'agent', 'agent_1')).toBeUndefined();
    expect(await store.remove(WORKSPACE + 2, 'agent', 'agent_1')).toBe(false);
    expect(await store.replace(documentOf({ workspaceId: WORKSPACE + 2 }), 1)).toBeUndefined();
    expect(await store.replace(documentOf({ workspaceId: WORKSPACE + 1, fields: { name: 'mine' } }), 1)).toBe(2);
    expect(await store.remove(WORKSPACE, 'engine', 'agent_1')).toBe(true);
    expect(await store.find(WORKSPACE, 'agent', 'agent_1')).toEqual({ ...documentOf(), version: 1 });
  });

  it('stores all of several documents or none', async () => {
    const store = await open();
    const version = documentOf({ kind: 'agent_version', id: 'agent_1/1', parentId: 'agent_1' });
    expect(await store.create([])).toBe(true);
    expect(await store.create([documentOf()])).toBe(true);
    expect(await store.create([version, documentOf({ fields: {} })])).toBe(false);
    expect(await store.create([version, version])).toBe(false);
    expect(await store.find(WORKSPACE, 'agent_version', 'agent_1/1')).toBeUndefined();
    expect((await store.find(WORKSPACE, 'agent', 'agent_1'))?.fields).toEqual(documentOf().fields);
  });

  it('replaces the version that is named, with what belongs to it', async () => {
    const store = await open();
    await store.create([documentOf({ parentId: 'x', archivedAtMs: 5, expiresAtMs: 6 })]);
    const next = documentOf({ updatedAtMs: 9_000, fields: { name: 'next' } });
    const version = documentOf({ kind: 'agent_version', id: 'agent_1/2', parentId: 'agent_1' });
    expect(await store.replace(next, 2)).toBeUndefined();
    expect(await store.replace(next, 0)).toBeUndefined();
    expect(await store.replace(next, 1, [version])).toBe(2);
    expect(await store.find(WORKSPACE, 'agent', 'agent_1')).toEqual({ ...next, version: 2 });
    expect(await store.find(WORKSPACE, 'agent_version', 'agent_1/2')).toEqual({ ...version, version: 1 });
    const other = documentOf({ kind: 'agent_version', id: 'agent_1/3' });
    expect(await store.replace(documentOf(), 1, [other])).toBeUndefined();
    expect(await store.replace(documentOf(), 2, [other, version])).toBeUndefined();
    expect(await store.find(WORKSPACE, 'agent_version', 'agent_1/3')).toBeUndefined();
    expect(await store.find(WORKSPACE, 'agent', 'agent_1')).toEqual({ ...next, version: 2 });
    expect(await store.replace(documentOf({ id: 'agent_none' }), 1)).toBeUndefined();
    expect(await store.replace(documentOf({ id: 'agent_none' }), 0)).toBeUndefined();
  });

  it('lets one of many replacements of one version through, over all replicas', async () => {
    const replicas = [await open(), await open()];
    await replicas[0]?.create([documentOf()]);
    const outcomes = await Promise.all(
      Array.from({ length: RACERS }, (_, n) =>
        (replicas[n % 2] as SessionDocuments).replace(documentOf({ fields: { n } }), 1, [
          documentOf({ kind: 'agent_version', id: `agent_1/${n}` }),
        ]),
      ),
    );
    expect(outcomes.filter((version) => version === 2)).toHaveLength(1);
    expect(outcomes.filter((version) => version === undefined)).toHaveLength(RACERS - 1);
    const query = { workspaceId: WORKSPACE, order: 'ascending', limit: 10, includeArchived: true } as const;
    const versions = await replicas[1]?.list({ ...query, kind: 'agent_version' });
    const document = await replicas[1]?.find(WORKSPACE, 'agent', 'agent_1');
    expect(versions?.documents.map(({ id }) => id)).toEqual([`agent_1/${outcomes.indexOf(2)}`]);
    expect(document?.fields).toEqual({ n: outcomes.indexOf(2) });
  });

  it('lets one of many creations of one id through', async () => {
    const replicas = [await open(), await open()];
    const outcomes = await Promise.all(
      Array.from({ length: RACERS }, (_, n) =>
        (replicas[n % 2] as SessionDocuments).create([documentOf({ id: `other_${n}` }), documentOf({ fields: { n } })]),
      ),
    );
    expect(outcomes.filter((isStored) => isStored)).toHaveLength(1);
    const query = { workspaceId: WORKSPACE, kind: 'agent', order: 'ascending', limit: 10 } as const;
    expect((await replicas[0]?.list({ ...query, includeArchived: true }))?.documents).toHaveLength(2);
  });

  it('removes a document', async () => {
    const store = await open();
    await store.create([documentOf()]);
    expect(await store.remove(WORKSPACE, 'agent', 'agent_1')).toBe(true);
    expect(await store.remove(WORKSPACE, 'agent', 'agent_1')).toBe(false);
    expect(await store.remove(WORKSPACE, 'agent', ODD_TEXT)).toBe(false);
    expect(await store.find(WORKSPACE, 'agent', 'agent_1')).toBeUndefined();
    expect(await store.replace(documentOf(), 1)).toBeUndefined();
    expect(await store.create([documentOf()])).toBe(true);
  });
}
