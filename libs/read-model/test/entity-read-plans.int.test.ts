import { Client } from 'pg';
import { toPosition, type ReadEventsOptions } from '@sluice/event-log';
import { applyMigrations, openReadModel, type PrismaReadModel } from '../src';
import { SESSION_OPTIONS } from '../src/database';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const EVENTS = 60_000;
const ENTITIES = 600;
const WORKSPACES = 3;
const EVENTS_OF_ENTITY = EVENTS / ENTITIES;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

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

  /**
   * Runs a read of the model and explains the very statement that it sent, with its parameters: the plan of a copy would
   * prove nothing about the original.
   */
  async function explain(read: () => Promise<unknown>): Promise<PlanNode> {
    const sent: { text: string; values: unknown[] }[] = [];
    const original = Reflect.get(Client.prototype, 'query') as (...args: unknown[]) => unknown;
    const spy = jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
      const config = args[0] as { text?: string; values?: unknown[] };
      const text = config.text ?? '';
      if (text.includes('recorded_events')) sent.push({ text, values: config.values ?? (args[1] as unknown[]) ?? [] });
      return original.apply(this, args) as never;
    });
    await read();
    spy.mockRestore();
    expect(sent).toHaveLength(1);
    const client = new Client({ connectionString: database.url, options: SESSION_OPTIONS });
    await client.connect();
    try {
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sent[0]?.text ?? ''}`,
        sent[0]?.values,
      );
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (!plan) throw new Error('no plan');
      return plan;
    } finally {
      await client.end();
    }
  }

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
    const plan = await explain(() => model.read(options).catch(() => undefined));
    return { plan, kinds: nodesOf(plan).map((node) => node['Node Type']) };
  };
  const pagesTouched = (plan: PlanNode) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];

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
      const { plan, kinds } = await planOf(options);
      // A filter by type unnests its own few prefixes.
      const ownKinds = kinds.filter((kind) => kind !== 'Function Scan');
      expect(ownKinds).toEqual(['Subquery Scan', 'WindowAgg', 'Limit', 'Index Scan']);
      const scan = nodesOf(plan).find((node) => node['Node Type'] === 'Index Scan');
      expect(scan?.['Index Name']).toBe('recorded_events_workspace_id_entity_id_position_idx');
      // Each event is on a page of its own at worst, and the index is a few levels deep.
      expect(pagesTouched(plan)).toBeLessThan(EVENTS_OF_ENTITY + 20);
    });

    it.each([filter, ofAnyFamily])('since an instant go by an index too: %j', async (ofEntity) => {
      const { plan, kinds } = await planOf({ filter: ofEntity, occurredAfter: 1_000_000 + EVENTS - 5_000, limit: 50 });
      expect(kinds).toContain('Index Scan');
      expect(kinds).not.toContain('Seq Scan');
      expect(pagesTouched(plan)).toBeLessThan(EVENTS_OF_ENTITY + 20);
    });
  });
});
