import { randomUUID } from 'node:crypto';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import type { AgentDirectory, ListAgents } from '@sluice/projections';
import { registryEnvelope } from '@sluice/projections/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { explainEach, nodesOf, pagesTouched, statementsOf } from './explain';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const AGENTS = 30_000;
const FEEDBACK = 20_000;
/** Agents of three chains and a hundred owners; one of four has no score. Agent 1:3 has all the feedback. */
const FILL = `
  INSERT INTO read_model.agents (agent_id, chain_id, owner, name_key, has_mcp, has_a2a, file, metadata, skills, domains,
    registered_at, created_position)
  SELECT c || ':' || n, c, 'owner' || n % 100, 'agent ' || n * 7919 % ${AGENTS}, n % 2 = 0, n % 5 = 0,
    '{"name":"x","services":[],"supportedTrust":[]}', '{}', ARRAY['skill' || n % 10], ARRAY['domain' || n % 10],
    n, n - 1000000
  FROM generate_series(1, ${AGENTS}) AS n, LATERAL (SELECT (ARRAY[1, 10, 8453])[1 + n % 3] AS c) AS chains;
  INSERT INTO read_model.agent_standings (agent_id, chain_id, created_position, score, feedback_count, updated_at,
    last_position)
  SELECT c || ':' || n, c, n - 1000000, CASE WHEN n % 4 > 0 THEN n % 101 END, n % 50, n, n * 7919 % ${AGENTS} - 1000000
  FROM generate_series(1, ${AGENTS}) AS n, LATERAL (SELECT (ARRAY[1, 10, 8453])[1 + n % 3] AS c) AS chains;
  INSERT INTO read_model.agent_feedback (agent_id, name, content, revoked, created_position)
  SELECT '1:3', 'feedback/' || n, '{"score":5}', n % 2 = 0, n - 500000 FROM generate_series(1, ${FEEDBACK}) AS n;
  INSERT INTO read_model.agent_feedback_responses (event_id, agent_id, name, content, length, position)
  SELECT gen_random_uuid(), '1:3', 'feedback/' || ${FEEDBACK} - n % 10, '{"responseUri":"x"}', 20, n
  FROM generate_series(1, 10000) AS n;`;

const OWNER = `0x${'1'.repeat(40)}`;
const CLIENT = `0x${'2'.repeat(40)}`;

const registered = (n: number, description = 'd') => {
  const file = {
    name: `new ${n}`,
    description,
    services: [],
    supportedTrust: [],
    declaredSkills: [],
    declaredDomains: [],
  };
  const of = { agentId: `5:${n}`, chainId: 5, name: `new ${n}`, owner: OWNER, hasMcp: false, hasA2a: false };
  return registryEnvelope('agent_registered', { ...of, registration: { file } });
};
const rated = (n: number, feedbackIndex: number) => {
  const feedback = { source: 'registry', clientAddress: CLIENT, feedbackIndex: String(feedbackIndex) } as const;
  const score = { previousScore: 0, newScore: 5, feedbackCount: feedbackIndex };
  const said = { score: 5, isRating: true, tags: [] };
  return registryEnvelope('reputation_change', {
    agentId: `5:${n}`,
    chainId: 5,
    ...score,
    feedback: { ...feedback, ...said },
  });
};

describe('agents', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;

  const record = (envelopes: readonly EncodedEnvelope[]) =>
    model.record({ envelopes, parked: [], checkpoints: new Map() });

  beforeAll(async () => {
    database = await createFreshDatabase();
    model = await openReadModel({ databaseUrl: database.url });
    await database.query(FILL);
  });

  afterAll(async () => {
    await model.close();
    await database.drop();
  });

  const page = (query: Partial<ListAgents>) => (agents: AgentDirectory) =>
    agents.list({ sort: 'registered', order: 'ascending', limit: 50, ...query });
  type Read = (agents: AgentDirectory) => Promise<unknown>;
  const order = 'descending';
  const reads: readonly (readonly [name: string, read: Read, index: string])[] = [
    ['one', (agents) => agents.find('1:3'), 'agents_pkey'],
    ['the first', page({}), 'agents_created_position_idx'],
    ['the newest', page({ order }), 'agents_created_position_idx'],
    ['the next', page({ after: { key: -985_000, position: -985_000 } }), 'agents_created_position_idx'],
    ['the last changed', page({ sort: 'updated', order }), 'agent_standings_last_position_idx'],
    [
      'the next changed',
      page({ sort: 'updated', after: { key: -985_000, position: 0 } }),
      'agent_standings_last_position_idx',
    ],
    ['the best', page({ sort: 'score', order }), 'agent_standings_score_created_position_idx'],
    ['the worst', page({ sort: 'score' }), 'agent_standings_score_created_position_idx'],
    [
      'the next best',
      page({ sort: 'score', order, after: { key: 50, position: -985_000 } }),
      'agent_standings_score_created',
    ],
    [
      'those without a score',
      page({ sort: 'score', after: { key: null, position: -985_000 } }),
      'agent_standings_score_created',
    ],
    [
      'those of one score',
      page({ sort: 'score', minScore: 50, maxScore: 50 }),
      'agent_standings_score_created_position_idx',
    ],
    ['by name', page({ sort: 'name' }), 'agents_name_key_created_position_idx'],
    ['the next by name', page({ sort: 'name', order, after: { key: 'agent 5', position: 0 } }), 'agents_name_key'],
    ['of an owner', page({ owner: 'owner7' }), 'agents_owner_created_position_idx'],
    ['of a chain', page({ chainIds: [8453] }), 'created_position_idx'],
  ];

  /** By a condition that many agents meet: without statistics they are taken for few, and sorted. */
  const walks: typeof reads = [
    ['of chains', page({ chainIds: [1, 8453], order }), 'agents_created_position_idx'],
    [
      'the best of a chain',
      page({ chainIds: [1], sort: 'score', order }),
      'agent_standings_score_created_position_idx',
    ],
    ['with a protocol', page({ hasMcp: true, minFeedback: 3, sort: 'updated' }), 'agent_standings_last_position_idx'],
  ];

  describe.each([
    ['without statistics', 'SELECT 1'],
    [
      'with statistics',
      'ANALYZE read_model.agents, read_model.agent_standings, read_model.agent_feedback, read_model.agent_feedback_responses',
    ],
  ])('%s', (_, prepare) => {
    beforeAll(() => database.query(prepare));

    it.each(prepare.startsWith('ANALYZE') ? [...reads, ...walks] : reads)(
      'are read by an index, and few pages are touched: %s',
      async (_name, read, index) => {
        const plans = await explainEach(database.url, 'read_model.agents', () => read(model.agentDirectory));
        expect(plans).toHaveLength(1);
        for (const plan of plans) {
          const kinds = nodesOf(plan).map((node) => node['Node Type']);
          expect(kinds).not.toContain('Seq Scan');
          expect(kinds).not.toContain('Sort');
          expect(nodesOf(plan).find((node) => node['Index Name'])?.['Index Name']).toContain(index);
          expect(pagesTouched(plan)).toBeLessThan(500);
        }
      },
    );

    it.each([
      ['the newest', {}],
      ['the next', { after: -490_000 }],
      ['without the revoked', { includeRevoked: false }],
    ])('are told of feedback by an index, with the first responses: %s', async (_name, query) => {
      const read = () => model.agentDirectory.feedback({ agentId: '1:3', limit: 50, includeRevoked: true, ...query });
      const feedback = await read();
      expect(feedback).toHaveLength(50);
      expect(feedback[0]?.responses).toHaveLength('after' in query ? 0 : 100);
      const [plan] = await explainEach(database.url, 'agent_feedback', read);
      if (!plan) throw new Error('no plan');
      const nodes = nodesOf(plan);
      expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
      expect(nodes.map((node) => node['Index Name'])).toContain('agent_feedback_agent_id_created_position_idx');
      expect(pagesTouched(plan)).toBeLessThan(2_500);
      expect(Math.max(...nodes.map((node) => node['Actual Rows']))).toBeLessThan(1_100);
    });
  });

  it('cost one statement for any number of changes, and none where there are none', async () => {
    const statementsFor = (envelopes: readonly EncodedEnvelope[]) =>
      statementsOf('change_agents', () => record(envelopes)).then((sent) => sent.length);
    expect(await statementsFor([sandboxEnvelope(), sandboxEnvelope()])).toBe(0);
    const many = Array.from({ length: 500 }, (_, n) => [registered(n), rated(n, 1), rated(n % 200, n + 10)]).flat();
    expect(await statementsFor(many)).toBe(1);
    expect(await model.agentDirectory.find('5:499')).toMatchObject({ name: 'new 499', score: 5, feedbackCount: 1 });
    expect(await model.agentDirectory.feedback({ agentId: '5:7', limit: 10 })).toMatchObject([
      { feedbackIndex: '417' },
      { feedbackIndex: '217' },
      { feedbackIndex: '17' },
      { feedbackIndex: '1' },
    ]);
  });

  it('do not write long texts anew when something else changes (G9)', async () => {
    const description = Array.from({ length: 100 }, () => randomUUID())
      .join('')
      .slice(0, 4_000);
    const numbers = Array.from({ length: 50 }, (_, n) => 1_000 + n);
    await record(numbers.map((n) => registered(n, description)));
    const toastedBytes = async () => {
      const [row] = await database.query(`SELECT pg_relation_size(reltoastrelid)::int AS bytes FROM pg_class
        WHERE oid = 'read_model.agents'::regclass`);
      return (row as { bytes: number }).bytes;
    };
    const before = await toastedBytes();
    expect(before).toBeGreaterThan(numbers.length * 2_000);
    await record(numbers.map((n) => rated(n, 1)));
    expect(await toastedBytes()).toBe(before);
    expect(await model.agentDirectory.find('5:1007')).toMatchObject({ description, score: 5 });
  });

  it('that begin anew hide all feedback of before at once, and delete some of it (G9)', async () => {
    const gone = async () => {
      const [row] = await database.query(
        `SELECT count(*)::int AS count FROM read_model.agent_feedback WHERE agent_id = '5:1'`,
      );
      return (row as { count: number }).count;
    };
    await database.query(`
      INSERT INTO read_model.agent_feedback (agent_id, name, content, revoked, created_position)
      SELECT '5:1', 'feedback/${CLIENT}/' || n, '{"score":5}', true, n - 900000 FROM generate_series(1000, 12999) AS n`);
    const before = await gone();
    await record([registered(1)]);
    expect(await gone()).toBe(before - 5_000);
    const feedback = () => model.agentDirectory.feedback({ agentId: '5:1', limit: 200, includeRevoked: true });
    expect(await feedback()).toEqual([]);
    const place = { clientAddress: CLIENT, feedbackIndex: '12999' };
    const revoked = registryEnvelope('feedback_revoked', { agentId: '5:1', chainId: 5, ...place });
    const response = registryEnvelope('feedback_response', {
      ...{ agentId: '5:1', chainId: 5, ...place },
      ...{ responder: CLIENT, responseUri: 'x', responseHash: `0x${'1'.repeat(64)}` },
    });
    await record([revoked, response]);
    expect(await feedback()).toEqual([]);
    await record([rated(1, 12_999)]);
    expect(await feedback()).toMatchObject([{ feedbackIndex: '12999', revoked: false, responses: [] }]);
  });
});
