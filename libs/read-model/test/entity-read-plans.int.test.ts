import { Client } from 'pg';
import { toPosition, type ReadEventsOptions } from '@sluice/event-log';
import { applyMigrations, openReadModel, type PrismaReadModel } from '../src';
import { explain, nodesOf, pagesTouched } from './explain';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const EVENTS = 60_000;
const ENTITIES = 600;
const WORKSPACES = 3;
const POSITIONS_OF_WINDOW = 5_000;
const EVENTS_OF_ENTITY = EVENTS / ENTITIES;

/** Rows with neither a document nor a projection: the plans depend on the searched columns alone. */
const FILL = `
  INSERT INTO read_model.recorded_events
    (position, id, workspace_id, family, entity_id, entity_sequence, type, occurred_at, recorded_at, envelope)
  SELECT n, gen_random_uuid(), n % ${WORKSPACES}, 'sandbox', 'entity-' || n % ${ENTITIES}, n / ${ENTITIES} + 1,
    CASE WHEN n % 7 = 0 THEN 'execution.failed' ELSE 'execution.completed' END, 1000000 + n, 1000000 + n, repeat('x', 200)
  FROM generate_series(1, ${EVENTS}) AS n`;

describe('reads of one entity', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;

  beforeAll(async () => {
    database = await createFreshDatabase();
    await applyMigrations(database.url);
    await database.query(FILL);
    model = await openReadModel({ databaseUrl: database.url, migrate: false });
  });

  afterAll(async () => {
    await model.close();
    await database.drop();
  });

  const filter = { workspaceIds: [1], families: ['sandbox'], entityIds: ['entity-31'] } as const;

  const ofAnyFamily = { workspaceIds: [1], entityIds: ['entity-31'] };

  const pages: readonly (readonly [string, ReadEventsOptions])[] = [
    ['the first page', { filter, limit: 50 }],
    ['of so many bytes', { filter, limit: 50, maxBytes: 2_000 }],
    ['the next page', { filter, after: toPosition(EVENTS / 2), limit: 50 }],
    ['the newest first', { filter, order: 'descending', limit: 50 }],
    ['up to a position', { filter, after: toPosition(100), upTo: toPosition(EVENTS), limit: 50 }],
    ['of one type', { filter: { ...filter, types: ['execution.failed'] }, limit: 10 }],
    ['of any family', { filter: ofAnyFamily, limit: 50 }],
    ['of any family, the newest first', { filter: ofAnyFamily, order: 'descending', limit: 50 }],
    ['of any family, rare', { filter: { ...ofAnyFamily, types: ['session.closed'] }, limit: 50 }],
  ];

  /** The rows hold no document, so reading them fails after the statement has been sent. */
  const planOf = async (options: Parameters<PrismaReadModel['read']>[0]) => {
    const plan = await explain(database.url, 'recorded_events', () => model.read(options).catch(() => undefined));
    // Beside it there is only the floor.
    const page = nodesOf(plan).find((node) => node['Node Type'] === 'Subquery Scan');
    if (!page) throw new Error('there is no page');
    return { plan, nodes: nodesOf(page), kinds: nodesOf(page).map((node) => node['Node Type']) };
  };

  it('ask the database nothing where a list of the filter is empty', async () => {
    const query = jest.spyOn(Client.prototype, 'query');
    const none = await model.read({ filter: { ...filter, types: [] }, limit: 10 });
    expect([none, query.mock.calls]).toEqual([{ events: [], complete: true, floor: 0, lost: 0, revision: 0 }, []]);
    query.mockRestore();
  });

  it('sum the bytes of a page without reading the envelopes', async () => {
    await database.query(`
      INSERT INTO read_model.recorded_events
        (position, id, workspace_id, family, entity_id, entity_sequence, type, occurred_at, recorded_at, envelope)
      SELECT ${EVENTS} + n, gen_random_uuid(), 1, 'sandbox', 'large', n, 'file.read', n, n,
        (SELECT string_agg(md5(random()::text || piece), '') FROM generate_series(1, 4000) AS piece)
      FROM generate_series(1, 20) AS n`);
    const ofLarge = { workspaceIds: [1], entityIds: ['large'] };
    const { plan } = await planOf({ filter: ofLarge, limit: 50, maxBytes: 300_000 });
    expect(plan['Actual Rows']).toBe(2);
    // Twenty rows and the index; the envelopes are on more than a thousand pages besides.
    expect(pagesTouched(plan)).toBeLessThan(40);
  });

  describe.each([
    ['without statistics', ''],
    ['with statistics', 'ANALYZE read_model.recorded_events'],
  ])('%s', (_, prepare) => {
    beforeAll(() => database.query(prepare));

    it.each(pages)('go by an index, sort nothing and touch few pages: %s', async (_page, options) => {
      const { plan, nodes, kinds } = await planOf(options);
      // A filter by type unnests its own few prefixes.
      const ownKinds = kinds.filter((kind) => kind !== 'Function Scan');
      expect(ownKinds).toEqual(['Subquery Scan', 'WindowAgg', 'Limit', 'Index Scan']);
      const scan = nodes.find((node) => node['Node Type'] === 'Index Scan');
      expect(scan?.['Index Name']).toBe('recorded_events_workspace_id_entity_id_position_idx');
      // Each event is on a page of its own at worst, and the index is a few levels deep.
      expect(pagesTouched(plan)).toBeLessThan(EVENTS_OF_ENTITY + 20);
    });

    // What the feed and the query pages ask: a filter that is not selective, within so many positions.
    it.each<[string, ReadEventsOptions['filter']]>([
      ['of one workspace', { workspaceIds: [1], entityIdPrefixes: ['entity-3', 'x:'] }],
      ['of one workspace and family', { workspaceIds: [1], families: ['sandbox'], entityIdPrefixes: ['entity-3'] }],
      ['that nothing has', { workspaceIds: [1], entityIdPrefixes: ['1:', '11155111:'] }],
    ])('by a prefix of entities look only at the positions that are asked for: %s', async (_filter, byPrefix) => {
      const [after, upTo] = [toPosition(EVENTS / 2), toPosition(EVENTS / 2 + POSITIONS_OF_WINDOW)];
      const { plan, nodes, kinds } = await planOf({ filter: byPrefix, after, upTo, limit: 500 });
      expect(kinds).toEqual(['Subquery Scan', 'WindowAgg', 'Limit', 'Index Scan']);
      const scan = nodes.find((node) => node['Node Type'] === 'Index Scan');
      expect(scan?.['Index Name']).toMatch(/recorded_events_(workspace_id_position_idx|pkey)/);
      expect(pagesTouched(plan)).toBeLessThan(POSITIONS_OF_WINDOW / 10);
    });

    it.each([filter, ofAnyFamily])('since an instant go by an index too: %j', async (ofEntity) => {
      const { plan, kinds } = await planOf({ filter: ofEntity, occurredAfter: 1_000_000 + EVENTS - 5_000, limit: 50 });
      expect(kinds).toContain('Index Scan');
      expect(kinds).not.toContain('Seq Scan');
      expect(pagesTouched(plan)).toBeLessThan(EVENTS_OF_ENTITY + 20);
    });
  });
});
