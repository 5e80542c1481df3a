import type { ApiKeyRecord } from '../api-keys/api-key-record';
import type { ApiKeyStore } from '../api-keys/api-key-store';
import { hashApiKey, newApiKeyText } from '../api-keys/api-key-text';

export interface ApiKeyStoreHarness {
  /**
   * A client of one store; every call within one test gives a client of the same store, every test gets a fresh one.
   */
  open(): Promise<ApiKeyStore>;
  /** Lets go of the store and everything that was opened. */
  destroy(): Promise<void>;
}

const CREATED_AT = 1_700_000_000_000;

async function record(overrides: Partial<ApiKeyRecord> = {}): Promise<ApiKeyRecord> {
  return {
    keyId: crypto.randomUUID(),
    hash: await hashApiKey(newApiKeyText()),
    workspaceId: 1,
    role: 'writer',
    name: 'conformance',
    createdAt: CREATED_AT,
    ...overrides,
  };
}

const idsOf = (records: readonly ApiKeyRecord[]) => records.map(({ keyId }) => keyId);

/** What every ApiKeyStore must do. Run it with a harness around each implementation. */
export function describeApiKeyStore(name: string, createHarness: () => Promise<ApiKeyStoreHarness>): void {
  describe(`ApiKeyStore: ${name}`, () => {
    let harness: ApiKeyStoreHarness;
    let store: ApiKeyStore;
    beforeEach(async () => {
      harness = await createHarness();
      store = await harness.open();
    });
    afterEach(() => harness.destroy());

    it('finds a key by its hash, exactly as it was inserted, at every client', async () => {
      const plain = await record();
      const full = await record({
        role: 'reader',
        workspaceId: 2_147_483_647,
        name: 'Grüße, "key" \u{1f41a} \'; --',
        expiresAt: CREATED_AT + 1,
        limits: { requestsPerSecond: 0.5, burst: 3, connections: 0 },
      });
      const operator = await record({ role: 'operator', workspaceId: null });
      const zero = await record({ role: 'admin', workspaceId: 0 });
      for (const each of [plain, full, operator, zero]) await store.insert(each);
      const other = await harness.open();
      for (const each of [plain, full, operator, zero]) expect(await other.findByHash(each.hash)).toEqual(each);
    });

    it.each(['', 'x', '0'.repeat(64), "' OR 1=1 --"])('finds nothing for the foreign hash %j', async (hash) => {
      await store.insert(await record());
      expect(await store.findByHash(hash)).toBeUndefined();
    });

    it('refuses a second key with the same id or the same hash, and keeps the first', async () => {
      const first = await record();
      await store.insert(first);
      const sameId = await record({ keyId: first.keyId, name: 'same id' });
      const sameHash = await record({ hash: first.hash, name: 'same hash', workspaceId: 2 });
      await expect(store.insert(sameId)).rejects.toMatchObject({ code: 'conflict' });
      await expect(store.insert(sameHash)).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.findByHash(first.hash)).toEqual(first);
      expect(await store.findByHash(sameId.hash)).toBeUndefined();
      expect(await store.list({ workspaceId: 2 })).toEqual([]);
    });

    it('lists one workspace alone, newest first', async () => {
      const old = await record({ createdAt: CREATED_AT });
      const recent = await record({ createdAt: CREATED_AT + 2 });
      const middle = await record({ createdAt: CREATED_AT + 1, expiresAt: CREATED_AT + 2 });
      const foreign = await record({ workspaceId: 2 });
      const operator = await record({ role: 'operator', workspaceId: null });
      for (const each of [middle, old, foreign, recent, operator]) await store.insert(each);
      expect(await store.list({ workspaceId: 1 })).toEqual([recent, middle, old]);
      expect(idsOf(await store.list({ workspaceId: 2 }))).toEqual([foreign.keyId]);
      expect(idsOf(await store.list({ workspaceId: null }))).toEqual([operator.keyId]);
      expect(await store.list({ workspaceId: 3 })).toEqual([]);
    });

    it('counts the keys of a workspace that are in force', async () => {
      const revoked = await record();
      const expiring = await record({ expiresAt: CREATED_AT + 10 });
      const foreign = await record({ workspaceId: 2 });
      for (const each of [await record(), revoked, expiring, foreign]) await store.insert(each);
      expect(await store.countInForce({ workspaceId: 1, nowMs: CREATED_AT + 9 })).toBe(3);
      expect(await store.countInForce({ workspaceId: 1, nowMs: CREATED_AT + 10 })).toBe(2);
      await store.revoke({ keyId: revoked.keyId });
      expect(await store.countInForce({ workspaceId: 1, nowMs: CREATED_AT + 10 })).toBe(1);
      expect(await store.countInForce({ workspaceId: 3, nowMs: CREATED_AT })).toBe(0);
    });

    it('revokes a key once, for every client, and goes on showing it', async () => {
      const key = await record();
      const neighbour = await record();
      await store.insert(key);
      await store.insert(neighbour);
      expect(await store.revoke({ keyId: key.keyId, workspaceId: 1 })).toBe(true);
      const other = await harness.open();
      const revoked = await other.findByHash(key.hash);
      expect(revoked).toEqual({ ...key, revokedAt: expect.any(Number) });
      expect(await other.revoke({ keyId: key.keyId, workspaceId: 1 })).toBe(false);
      expect(await other.revoke({ keyId: key.keyId })).toBe(false);
      expect(await store.findByHash(key.hash)).toEqual(revoked);
      expect(await store.list({ workspaceId: 1 })).toEqual(expect.arrayContaining([revoked, neighbour]));
      expect(await store.findByHash(neighbour.hash)).toEqual(neighbour);
    });

    it('finds keys by id, revoked ones too, and leaves out what it does not know', async () => {
      const [kept, revoked, unasked] = [await record(), await record({ workspaceId: 2 }), await record()];
      for (const each of [kept, revoked, unasked]) await store.insert(each);
      await store.revoke({ keyId: revoked.keyId });
      const unknown = ['5f0c7a52-7a41-4a0e-9f43-0d4a2b1c9e77', 'no-uuid', '', 'nul \u0000'];
      const found = await store.findByIds([...unknown, revoked.keyId, kept.keyId]);
      expect(idsOf(found).sort()).toEqual([kept.keyId, revoked.keyId].sort());
      expect(found).toContainEqual(kept);
      expect(found).toContainEqual({ ...revoked, revokedAt: expect.any(Number) });
      expect(await store.findByIds([])).toEqual([]);
      expect(await store.findByIds(unknown)).toEqual([]);
    });

    it('revokes no key of a foreign workspace, and any key when none is named', async () => {
      const key = await record();
      const operator = await record({ role: 'operator', workspaceId: null });
      await store.insert(key);
      await store.insert(operator);
      expect(await store.revoke({ keyId: key.keyId, workspaceId: 2 })).toBe(false);
      expect(await store.revoke({ keyId: operator.keyId, workspaceId: 1 })).toBe(false);
      expect(await store.findByHash(key.hash)).toEqual(key);
      expect(await store.findByHash(operator.hash)).toEqual(operator);
      expect(await store.revoke({ keyId: key.keyId })).toBe(true);
    });

    it.each(['5f0c7a52-7a41-4a0e-9f43-0d4a2b1c9e77', 'no-uuid', '', 'nul \u0000'])(
      'answers false for the foreign key id %j',
      async (keyId) => {
        await store.insert(await record());
        expect(await store.revoke({ keyId })).toBe(false);
        expect(await store.revoke({ keyId, workspaceId: 1 })).toBe(false);
      },
    );

    it('lets one of many revocations at the same time win', async () => {
      const key = await record();
      await store.insert(key);
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.revoke({ keyId: key.keyId })));
      expect(outcomes.filter(Boolean)).toHaveLength(1);
    });
  });
}
