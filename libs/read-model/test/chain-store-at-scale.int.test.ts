import type { ChainGrant, ChainStore } from '@sluice/agent-registry';
import { registryEnvelope } from '@sluice/projections/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { explain, nodesOf, pagesTouched, statementsOf } from './explain';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const LEASE_MS = 600_000;
const DOCUMENTS = 50_000;
/** Documents of two chains; one of ten is due at some time. */
const FILL = `
  INSERT INTO registry_watch.documents (chain_id, key, kind, value, due_at)
  SELECT c, k || '/' || n, k, '{"n":' || n || '}', CASE WHEN n % 10 = 0 THEN n END
  FROM generate_series(1, ${DOCUMENTS / 4}) AS n, unnest(ARRAY[90, 91]) AS c, unnest(ARRAY['file', 'reach']) AS k`;

describe('ChainStore in PostgreSQL', () => {
  let database: FreshDatabase;
  let models: readonly [PrismaReadModel, PrismaReadModel];
  let stores: readonly [ChainStore, ChainStore];
  let nextChainId = 1;

  beforeAll(async () => {
    database = await createFreshDatabase();
    const open = () => openReadModel({ databaseUrl: database.url });
    models = [await open(), await open()];
    stores = [models[0].chainStore, models[1].chainStore];
    await database.query(FILL);
  });

  afterAll(async () => {
    for (const model of models) await model.close();
    await database.drop();
  });

  async function grantOf(store: ChainStore, chainId: number, holder: string, leaseMs = LEASE_MS): Promise<ChainGrant> {
    const grant = await store.acquire(chainId, holder, leaseMs);
    if (!grant) throw new Error(`${holder} got no grant`);
    return grant;
  }

  /** Ends the lease, as time would. */
  const lapse = (chainId: number) =>
    database.query(`UPDATE registry_watch.chains SET expires_at = clock_timestamp() WHERE chain_id = ${chainId}`);

  const event = (n: number) =>
    registryEnvelope('agent_updated', { agentId: `1:${n}`, chainId: 1, changes: [`name \u0000 "${n}"`] });

  it('stores the events of the outbox as they are: they are read once, and compressing them costs more', async () => {
    const grant = await grantOf(stores[0], nextChainId++, 'one');
    const outbox = Array.from({ length: 500 }, (_, n) => event(n));
    await stores[0].commit(grant, { outbox });
    expect(
      await database.query(`
        SELECT pg_column_size(events) >= octet_length(events) AS is_plain
        FROM registry_watch.outbox WHERE chain_id = ${grant.chainId}`),
    ).toEqual([{ is_plain: true }]);
    expect(await stores[0].outbox(grant, 10)).toEqual([{ batchId: 1, events: outbox }]);
  });

  it('decides about leases by the clock of the database', async () => {
    const chainId = nextChainId++;
    const grant = await grantOf(stores[0], chainId, 'one');
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 10 * LEASE_MS);
    try {
      expect(await stores[1].acquire(chainId, 'other', LEASE_MS)).toBeUndefined();
      expect(await stores[0].commit(grant, { cursor: { number: 1, hash: '0x1' } })).toBeUndefined();
      expect(await stores[0].statuses()).toContainEqual(expect.objectContaining({ chainId, holder: 'one' }));
    } finally {
      clock.mockRestore();
    }
    await lapse(chainId);
    await expect(stores[0].commit(grant, {})).rejects.toMatchObject({ code: 'conflict' });
    expect(await stores[1].statuses()).toContainEqual(expect.objectContaining({ chainId, holder: undefined }));
    expect(await grantOf(stores[1], chainId, 'other')).toMatchObject({ fencingToken: grant.fencingToken + 1 });
  });

  it('gives a holder whose lease lapsed another token, so that what it began before is refused', async () => {
    const chainId = nextChainId++;
    const first = await grantOf(stores[0], chainId, 'one');
    await lapse(chainId);
    const second = await grantOf(stores[0], chainId, 'one');
    expect(second.fencingToken).toBe(first.fencingToken + 1);
    await expect(stores[0].commit(first, {})).rejects.toMatchObject({ code: 'conflict' });
    expect(await stores[0].commit(second, {})).toBeUndefined();
  });

  it('lets no commit of a former holder come after one of its successor, whatever the moment', async () => {
    const chainId = nextChainId++;
    const written: string[] = [];
    const commit = async (store: ChainStore, grant: ChainGrant, name: string) => {
      const value = { name };
      const batchId = await store.commit(grant, { changes: [{ key: 'agent/0', value }], outbox: [event(0)] });
      if (batchId === undefined) throw new Error('no batch');
      written[batchId] = name;
    };
    let refused = 0;
    for (let round = 0; round < 10; round++) {
      const [former, successor] = round % 2 ? [stores[0], stores[1]] : [stores[1], stores[0]];
      const grant = await grantOf(former, chainId, `former ${round}`);
      const zombie = async () => {
        for (let commits = 0; commits < 1_000; commits++) await commit(former, grant, `zombie ${round}`);
        throw new Error('it was never refused');
      };
      const begun = zombie().catch((error: { readonly code?: string }) => {
        expect(error.code).toBe('conflict');
        refused++;
      });
      await lapse(chainId);
      const next = await grantOf(successor, chainId, `successor ${round}`);
      await commit(successor, next, `successor ${round}`);
      await begun;
      expect((await successor.read(chainId, ['agent/0'])).get('agent/0')?.value).toEqual({
        name: `successor ${round}`,
      });
      expect(written.at(-1)).toBe(`successor ${round}`);
      await successor.release(next);
    }
    expect(refused).toBe(10);
    const grant = await grantOf(stores[0], chainId, 'last');
    const batches = await stores[0].outbox(grant, 30_000);
    expect(batches.map(({ batchId }) => batchId)).toEqual(Object.keys(written).map(Number));
  });

  it('changes nothing where a part of a commit fails', async () => {
    const chainId = nextChainId++;
    const grant = await grantOf(stores[0], chainId, 'one');
    const changes = [{ key: 'agent/0', value: { n: 1 } }];
    const tooLarge = { number: 2 ** 70, hash: '0x1' };
    await expect(stores[0].commit(grant, { changes, cursor: tooLarge, outbox: [event(0)] })).rejects.toMatchObject({
      code: 'read_model_unavailable',
    });
    for (const key of ['', 'a\n', 'a\u0000']) {
      const bad = { key, value: {} };
      await expect(stores[0].commit(grant, { changes: [...changes, bad] })).rejects.toMatchObject({ code: 'internal' });
      expect((await stores[0].read(chainId, [key])).size).toBe(0);
    }
    expect((await stores[0].read(chainId, ['agent/0'])).size).toBe(0);
    expect(await stores[0].outbox(grant, 10)).toEqual([]);
    expect(await stores[0].load(grant)).toMatchObject({ cursor: undefined });
  });

  it('takes the last of several changes of one document, and of several journals of one block', async () => {
    const chainId = nextChainId++;
    const grant = await grantOf(stores[0], chainId, 'one');
    const block = { number: 5, hash: '0x5', parentHash: '0x4', timestamp: 1 };
    const journal = { block, before: [], emitted: [] };
    await stores[0].commit(grant, {
      changes: [
        { key: 'agent/0', value: { n: 1 } },
        { key: 'agent/1', value: { n: 1 } },
        { key: 'agent/0', value: { n: 2 }, dueAt: 0.5 },
        { key: 'agent/1', value: null },
      ],
      journals: [journal, { ...journal, block: { ...block, hash: '0x55' } }],
    });
    expect([...(await stores[0].read(chainId, ['agent/0', 'agent/1'])).values()]).toEqual([
      { key: 'agent/0', value: { n: 2 }, dueAt: 0.5 },
    ]);
    expect((await stores[0].load(grant)).journaled).toEqual([{ ...block, hash: '0x55' }]);
  });

  it('commits many documents and events in one statement, and gives them back as they were', async () => {
    const chainId = nextChainId++;
    const [store] = stores;
    const grant = await grantOf(store, chainId, 'one');
    const texts = ['\u0000', '\n\r\u2028', `"'\\`, '\ud800', '🐚', '\\u0000'];
    const changes = Array.from({ length: 5_000 }, (_, n) => ({
      key: `agent/${n}`,
      value: { n, text: texts[n % texts.length] ?? '' },
    }));
    const outbox = Array.from({ length: 1_000 }, (_, n) => event(n));
    const sent = await statementsOf('registry_watch', () => store.commit(grant, { changes, outbox }));
    expect(sent).toHaveLength(1);
    const keys = changes.map(({ key }) => key);
    const found = await store.read(chainId, keys);
    expect(keys.map((key) => found.get(key))).toEqual(changes);
    expect(await store.outbox(grant, 10)).toEqual([{ batchId: 1, events: outbox }]);
    const gone = keys.map((key) => ({ key, value: null }));
    expect(await statementsOf('registry_watch', () => store.commit(grant, { changes: gone }))).toHaveLength(1);
    expect((await store.read(chainId, keys)).size).toBe(0);
  });

  describe.each([
    ['without statistics', 'SELECT 1'],
    ['with statistics', 'ANALYZE registry_watch.documents'],
  ])('%s', (_, prepare) => {
    beforeAll(() => database.query(prepare));

    it('reads what is due in the order of an index (G9)', async () => {
      const query = { chainId: 91, kind: 'reach', dueBefore: 9_000, limit: 100 };
      expect((await stores[0].due(query))[0]).toEqual({ key: 'reach/10', value: { n: 10 }, dueAt: 10 });
      const plan = await explain(database.url, 'registry_watch', () => stores[0].due(query));
      const kinds = nodesOf(plan).map((node) => node['Node Type']);
      expect(kinds).not.toContain('Seq Scan');
      expect(kinds).not.toContain('Sort');
      expect(nodesOf(plan).map((node) => node['Index Name'])).toContain('documents_chain_id_kind_due_at_key_idx');
      expect(pagesTouched(plan)).toBeLessThan(200);
    });

    it('reads documents by their keys, whatever else there is (G9)', async () => {
      const keys = Array.from({ length: 200 }, (_unused, n) => `file/${n * 50 + 1}`);
      expect((await stores[0].read(90, keys)).size).toBe(200);
      const plan = await explain(database.url, 'registry_watch', () => stores[0].read(90, keys));
      expect(nodesOf(plan).map((node) => node['Index Name'])).toContain('documents_pkey');
      expect(pagesTouched(plan)).toBeLessThan(2_000);
    });
  });
});
