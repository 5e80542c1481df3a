import { sandboxEnvelope } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { type ListSessionEvents } from '@sluice/projections';
import { sessionEnvelope } from '@sluice/projections/conformance';
import { explain, nodesOf, pagesTouched, statementsOf } from './explain';
import { readsOf } from './reads';
import { shareReplicas } from './shared-replicas';

/** Five of six are of one session. */
const EVENTS = 120_000;
const SESSION = `sesn_${'0'.repeat(32)}`;
/** One session has 100,000 events, with few user messages among them; others have some in between. */
const FILL = `
  INSERT INTO read_model.session_events (workspace_id, session_id, event_id, position, type, processed_at)
  SELECT 1, CASE WHEN n % 6 <> 0 THEN '${SESSION}' ELSE 'sesn_' || n % 1000 END, 'sevt_' || n, n,
    CASE WHEN n % 20000 = 1 THEN 'user.message' WHEN n % 4 = 0 THEN 'agent.message' ELSE 'span.model_request_end' END, n
  FROM generate_series(1, ${EVENTS}) AS n;
  INSERT INTO read_model.recorded_events (position, id, workspace_id, family, entity_id, entity_sequence, type,
    occurred_at, recorded_at, envelope)
  SELECT n, gen_random_uuid(), 1, 'session', CASE WHEN n % 6 <> 0 THEN '${SESSION}' ELSE 'sesn_' || n % 1000 END,
    n, 'agent.message', n, n, '{"type":"agent.message","family":"session","schemaVersion":1,"data":{"id":"sevt_' || n || '"}}'
  FROM generate_series(1, ${EVENTS}) AS n;
  UPDATE read_model.position_counter SET last_position = ${EVENTS};`;

const replicas = shareReplicas();

beforeAll(async () => {
  await replicas.query(FILL);
});

const list = (query: Partial<ListSessionEvents>) =>
  replicas.open().sessionEvents.list({ workspaceId: 1, sessionId: SESSION, order: 'ascending', limit: 100, ...query });

/** With the most rows that a page may look at. */
const pages: readonly (readonly [name: string, query: Partial<ListSessionEvents>, index: string, most: number])[] = [
  ['the first', {}, 'session_events_listed_idx', 101],
  ['the last', { order: 'descending' }, 'session_events_listed_idx', 101],
  ['in the middle', { after: 60_000 }, 'session_events_listed_idx', 101],
  ['a large one', { limit: 1000 }, 'session_events_listed_idx', 1001],
  ['a sparse type', { types: ['user.message'] }, 'session_events_of_type_idx', 101],
  ['a type that is not there', { types: ['session.error'] }, 'session_events_of_type_idx', 101],
  ['a sparse and a frequent type', { types: ['user.message', 'agent.message'] }, 'session_events_of_type_idx', 202],
  [
    'types, from the middle back',
    { types: ['user.message', 'session.error'], after: 60_000, order: 'descending' },
    'session_events_of_type_idx',
    202,
  ],
  ['of a time', { processedFromMs: 1_000, processedUpToMs: 2_000 }, 'session_events_listed_idx', 10_000],
  ['of a time that is far', { processedFromMs: 110_000 }, 'session_events_listed_idx', 10_000],
  [
    'a sparse type of a time',
    { types: ['user.message'], processedFromMs: 110_000, order: 'descending' },
    'session_events_listed_idx',
    10_000,
  ],
];

describe.each([
  ['without statistics', 'SELECT 1'],
  ['with statistics', 'VACUUM ANALYZE read_model.session_events'],
])('a session of 100,000 events, %s', (_, prepare) => {
  beforeAll(async () => void (await replicas.query(prepare)));

  it.each(pages)('is read by an index, at the same cost for each page: %s (G9)', async (_name, query, index, most) => {
    const plan = await explain(replicas.databaseUrl(), 'session_events', () => list(query));
    const nodes = nodesOf(plan);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(nodes.map((node) => node['Index Name'])).toContain(index);
    expect(Math.max(...nodes.map((node) => node['Actual Rows']))).toBeLessThanOrEqual(most);
    expect(pagesTouched(plan)).toBeLessThan(50 + 12 * most);
  });

  it('gives all that there is of a sparse type in one page, and all of a time in a few', async () => {
    const page = await list({ types: ['user.message'] });
    expect(page.events).toHaveLength(6);
    expect(page).not.toHaveProperty('next');
    let found = 0;
    let count = 0;
    for (let after: number | undefined = 0; after !== undefined; count++) {
      const { events, next }: Awaited<ReturnType<typeof list>> = await list({
        processedFromMs: 110_000,
        limit: 1000,
        after,
      });
      found += events.length;
      after = next;
    }
    expect(found).toBe(8_334);
    expect(count).toBeLessThanOrEqual(10 + 9);
  });

  it('finds events by their ids by an index', async () => {
    const ids = Array.from({ length: 100 }, (_id, n) => `sevt_${6 * n + 1}`);
    const read = () => replicas.open().sessionEvents.byIds(1, SESSION, ids);
    expect(await read()).toHaveLength(100);
    const plan = await explain(replicas.databaseUrl(), 'session_events', read);
    expect(nodesOf(plan).map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(pagesTouched(plan)).toBeLessThan(1_500);
  });
});

it('cost one statement for any number of changes, and none where there are none', async () => {
  const record = (envelopes: readonly EncodedEnvelope[]) =>
    replicas.open().record({ envelopes, parked: [], checkpoints: new Map() });
  expect(await statementsOf('session_events', () => record([sandboxEnvelope(), sandboxEnvelope()]))).toEqual([]);
  const at = '2026-01-31T09:30:00.000Z';
  const content = [{ type: 'text', text: 'x' }];
  const many = Array.from({ length: 500 }, (_, n) => {
    const entityId = `sesn_${String(n % 50).padStart(32, '0')}`;
    const inputs = { processed_inputs: [`in_${n}`, `in_${n - 50}`] };
    return [
      sessionEnvelope({ id: `in_${n}`, type: 'user.message', processed_at: null, content }, { entityId }),
      sessionEnvelope(
        { id: `run_${n}`, type: 'session.status_running', processed_at: at, sluice: inputs },
        { entityId },
      ),
    ];
  }).flat();
  const sent = await statementsOf('session_events', () => record(many));
  expect(sent).toHaveLength(1);
  expect(await replicas.open().sessionEvents.find(1, `sesn_${'49'.padStart(32, '0')}`, 'in_499')).toMatchObject({
    processedAtMs: Date.parse(at),
  });
  for (const statement of sent) {
    const tables = await readsOf(replicas.databaseUrl(), statement);
    expect(tables.find(({ table }) => table === 'session_events')).toMatchObject({ sequentialRows: 0 });
  }
});
