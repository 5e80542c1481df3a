import { Client } from 'pg';
import { agentCursorOf, type AgentRecord, type ListAgents } from '@sluice/projections';
import { openReadModel, type PrismaReadModel } from '../src';
import { MAX_CANDIDATES, SEARCH_SETTINGS } from '../src/agent-search';
import { LIST_POOL_SIZE } from '../src/database';
import { explain, explainEach, nodesOf, pagesTouched, statementsOf, type PlanNode } from './explain';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const AGENTS = 30_000;
const SEARCH_INDEX = 'agents_skills_domains_idx';
/** All agents are common; every 300th is rare, and the oldest 900 are old. */
const FILL = `
  INSERT INTO read_model.agents (agent_id, chain_id, owner, name_key, has_mcp, has_a2a, file, metadata, skills, domains,
    registered_at, created_position)
  SELECT '1:' || n, 1, 'owner', name, n % 600 = 0, n % 2 = 0,
    json_build_object('name', name, 'description', repeat('x', 500), 'services', '[]'::json, 'supportedTrust', '[]'::json), '{}',
    ARRAY['common', CASE WHEN n % 300 = 0 THEN 'rare' WHEN n <= 900 THEN 'old' ELSE 'frequent' END],
    ARRAY['common_domain', CASE WHEN n % 300 = 0 THEN 'rare_domain' ELSE 'frequent_domain' END],
    n, n - 1000000
  FROM generate_series(1, ${AGENTS}) AS n, LATERAL (
    SELECT CASE WHEN n % 300 = 0 THEN 'the raven ' || n WHEN n % 1000 = 1 THEN 'ω' ELSE 'agent ' || n END AS name
  ) AS names;
  INSERT INTO read_model.agent_standings (agent_id, chain_id, created_position, score, feedback_count, updated_at,
    last_position)
  SELECT '1:' || n, 1, n - 1000000, CASE WHEN n % 900 > 0 THEN n % 101 END, n % 50, n, n::bigint * 7919 % ${AGENTS} - 1000000
  FROM generate_series(1, ${AGENTS}) AS n;`;

describe('a search for agents', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;

  beforeAll(async () => {
    database = await createFreshDatabase();
    model = await openReadModel({ databaseUrl: database.url, listTimeoutMs: 5_000 });
    await database.query(FILL);
  });

  afterAll(async () => {
    await model.close();
    await database.drop();
  });

  const list = (query: Partial<ListAgents>) =>
    model.agentDirectory.list({ sort: 'registered', order: 'descending', limit: 50, ...query });
  const numbers = (agents: readonly AgentRecord[]) => agents.map(({ tokenId }) => Number(tokenId));
  const explainSearch = (query: Partial<ListAgents>) =>
    explain(database.url, 'AS candidate', () => list(query), SEARCH_SETTINGS.classes);
  const kindsOf = (plan: PlanNode) => nodesOf(plan).map((node) => node['Node Type']);
  const indexesOf = (plan: PlanNode) => nodesOf(plan).flatMap((node) => node['Index Name'] ?? []);

  const rare: readonly (readonly [string, Partial<ListAgents>])[] = [
    ['by a skill', { skills: ['rare', 'nothing'] }],
    ['by a domain', { domains: ['rare_domain'] }],
    ['by all of them', { name: 'raven', skills: ['rare'], domains: ['common_domain', 'x'] }],
    ['by a skill, of those whose names contain a letter', { name: 'r', skills: ['rare'] }],
    ['that nobody meets', { skills: ['nothing'] }],
  ];

  describe.each([
    ['without statistics', 'SELECT 1'],
    ['with statistics', 'ANALYZE read_model.agents, read_model.agent_standings'],
  ])('%s', (_, prepare) => {
    beforeAll(() => database.query(prepare));

    it.each(rare)('goes by the one index, and touches few pages: %s', async (_name, query) => {
      for (const sort of ['registered', 'updated', 'score', 'name'] as const) {
        const search = await explainSearch({ ...query, sort });
        expect(kindsOf(search)).toEqual(['Limit', 'Bitmap Heap Scan', 'Bitmap Index Scan']);
        expect(indexesOf(search)).toEqual([SEARCH_INDEX]);
        expect(pagesTouched(search)).toBeLessThan(200);
        for (const page of await explainEach(database.url, 'unnest', () => list({ ...query, sort }))) {
          expect(kindsOf(page)).not.toContain('Seq Scan');
          expect(new Set(indexesOf(page))).toEqual(new Set(['agents_created_position_idx', 'agent_standings_pkey']));
          expect(pagesTouched(page)).toBeLessThan(1_000);
        }
      }
    });

    it('looks at so many candidates, and goes on in the order of the list where more meet it (G9)', async () => {
      const query = { skills: ['common'], domains: ['common_domain'], sort: 'score' } as const;
      const search = await explainSearch(query);
      expect(nodesOf(search)[0]?.['Actual Rows']).toBe(MAX_CANDIDATES + 1);
      expect(await statementsOf('unnest', () => list(query))).toEqual([]);
      expect(numbers(await list({ ...query, sort: 'registered', limit: 3 }))).toEqual([30_000, 29_999, 29_998]);
    });
  });

  it.each(['Ω', 'RAVEN', '100% \\sure_'])('goes by the names alone for a name: %s', async (name) => {
    await database.query('VACUUM ANALYZE read_model.agents');
    const search = await explain(database.url, 'AS candidate', () => list({ name }), SEARCH_SETTINGS.names);
    expect(kindsOf(search)).toEqual(['Limit', 'Index Only Scan']);
    expect(indexesOf(search)).toEqual(['agents_name_key_created_position_idx']);
    expect(pagesTouched(search)).toBeLessThan(400);
  });

  it('finds what names contain, whatever the case', async () => {
    expect(await list({ name: '100% \\sure_' })).toEqual([]);
    expect(numbers(await list({ name: 'RAVEN', limit: 2 }))).toEqual([30_000, 29_700]);
    expect(numbers(await list({ name: 'Ω', limit: 3 }))).toEqual([29_001, 28_001, 27_001]);
  });

  it('is told to the planner as it is explained here', async () => {
    const sent = await statementsOf('set_config', () => list({ skills: ['rare'] }));
    expect(sent.map(({ values }) => values)).toEqual([Object.entries(SEARCH_SETTINGS.classes).flat()]);
  });

  it.each(
    (['registered', 'updated', 'score', 'name'] as const).flatMap((sort) =>
      (['ascending', 'descending'] as const).map((order) => ({ sort, order })),
    ),
  )('gives each page in its order, by $sort, $order', async (of) => {
    const query = { ...of, skills: ['rare'], hasA2a: true, limit: 7 };
    const paged: AgentRecord[] = [];
    for (let page = await list(query); page.length > 0;) {
      paged.push(...page);
      const last = paged.at(-1);
      page = last ? await list({ ...query, after: agentCursorOf(last, of.sort) }) : [];
    }
    const sign = of.order === 'ascending' ? 1 : -1;
    const keyOf = {
      registered: (n: number) => n,
      updated: (n: number) => (n * 7919) % AGENTS,
      score: (n: number) => (n % 900 > 0 ? n % 101 : sign * Infinity),
      name: String,
    }[of.sort];
    const all = Array.from({ length: AGENTS / 300 }, (_, n) => (n + 1) * 300);
    const isBefore = (a: number, b: number) => keyOf(a) < keyOf(b) || (keyOf(a) === keyOf(b) && a < b);
    expect(numbers(paged)).toEqual(all.sort((a, b) => sign * (isBefore(a, b) ? -1 : 1)));
  });

  it('costs the first page as much as the last, also of those that are all old', async () => {
    const pages = [];
    for (const after of [-999_500, -999_900]) {
      const plan = await explain(database.url, 'unnest', () =>
        list({ skills: ['old'], after: { key: after, position: after } }),
      );
      pages.push(pagesTouched(plan));
    }
    expect(Math.max(...pages)).toBeLessThan(2 * Math.min(...pages));
    expect(numbers(await list({ skills: ['old'], limit: 2 }))).toEqual([899, 898]);
  });
});

describe('lists of agents that hang', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;
  let holder: Client;

  beforeAll(async () => {
    database = await createFreshDatabase();
    model = await openReadModel({ databaseUrl: database.url, listTimeoutMs: 300 });
    holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE read_model.agents, read_model.agent_feedback IN ACCESS EXCLUSIVE MODE');
  });

  afterAll(async () => {
    await holder.end();
    await model.close();
    await database.drop();
  });

  const hanging = [
    () => model.agentDirectory.list({ sort: 'score', order: 'ascending', limit: 1 }),
    () => model.agentDirectory.list({ sort: 'score', order: 'ascending', limit: 1, skills: ['rare'] }),
    () => model.agentDirectory.feedback({ agentId: '1:1', limit: 1 }),
  ];

  it.each(hanging)('end as `overloaded`, and say what to do (G9)', async (read) => {
    await expect(read()).rejects.toMatchObject({
      code: 'overloaded',
      message: 'query: The list takes too long; ask by conditions that fewer agents meet',
      where: 'query',
    });
  });

  it('leave all else its connections (G9)', async () => {
    const patient = await openReadModel({
      databaseUrl: database.url,
      poolSize: LIST_POOL_SIZE,
      listTimeoutMs: 60_000,
    });
    try {
      const lists = Array.from({ length: LIST_POOL_SIZE }, () =>
        patient.agentDirectory.list({ sort: 'name', order: 'ascending', limit: 1 }),
      );
      const isHanging = async () => {
        const rows = await database.query(`SELECT pid FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%read_model.agents%'`);
        return rows.length === LIST_POOL_SIZE;
      };
      while (!(await isHanging()));
      await Promise.all(Array.from({ length: 20 }, () => patient.head()));
      expect(await isHanging()).toBe(true);
      await holder.query('ROLLBACK');
      expect(await Promise.all(lists)).toEqual(lists.map(() => []));
    } finally {
      await patient.close();
    }
  });
});
