import type { ListSessionDocuments, ListSessions, SessionDocuments, SessionStore } from '@sluice/agent-sessions';
import {
  commitOf,
  documentOf,
  eventOf,
  receiptOf,
  runOf,
  sessionOf,
  startOf,
} from '@sluice/agent-sessions/conformance';
import { explain, nodesOf, pagesTouched, statementsOf } from './explain';
import { readsOf } from './reads';
import { shareReplicas } from './shared-replicas';

const SESSIONS = 20_000;
const DOCUMENTS = 20_000;
/** In three workspaces, of fifty agents; each fifth is archived, and few are running. */
const FILL = `
  INSERT INTO agent_sessions.sessions (session_id, workspace_id, version, last_sequence, created_at, archived, status,
    agent_id, agent_version, agent_hash, agent, state)
  SELECT 'sesn_' || n, n % 3, 1, 0, n, n % 5 = 0,
    CASE WHEN n % 1000 = 1 THEN 'running' WHEN n % 7 = 0 THEN 'terminated' ELSE 'idle' END,
    'agent_' || n % 50, n % 4, '', '{}', '{"workspaceId":' || n % 3 || ',"id":"sesn_' || n || '"}'
  FROM generate_series(1, ${SESSIONS}) AS n;
  INSERT INTO agent_sessions.deadlines (session_id, workspace_id, deadline_at)
  SELECT 'sesn_' || n, n % 3, n FROM generate_series(1, ${SESSIONS}) AS n;
  INSERT INTO agent_sessions.events (session_id, event_id, type)
  SELECT 'sesn_1', 'sevt_' || n, 'agent.message' FROM generate_series(1, ${SESSIONS}) AS n;
  INSERT INTO agent_sessions.outbox (session_id, sequence, committed_at, event)
  SELECT 'sesn_' || 1 + n % 3000, n, now() - n * interval '1 second', '{}' FROM generate_series(1, ${SESSIONS}) AS n;
  INSERT INTO agent_sessions.waiting_outboxes (session_id, since)
  SELECT 'sesn_' || n, now() - n * interval '1 second' FROM generate_series(1, 3000) AS n;
  INSERT INTO agent_sessions.receipts (session_id, key, request_hash, answer, taken_at)
  SELECT 'sesn_' || n % 100, 'send/' || n, 'hash' || n % 2000, '{}', now() - n * interval '1 second'
  FROM generate_series(1, ${SESSIONS}) AS n;
  INSERT INTO agent_sessions.dispatches (session_id, workspace_id, dispatch, created_at, ready_at)
  SELECT 'sesn_' || 1 + n % 500, 1, '{}', now(),
    CASE WHEN n <= 500 THEN now() - n * interval '1 second' + CASE WHEN n % 2 = 0 THEN interval '1 day' ELSE '0' END END
  FROM generate_series(1, ${SESSIONS}) AS n;
  INSERT INTO agent_sessions.documents (workspace_id, kind, id, parent_id, created_at, updated_at, archived, archived_at,
    expires_at, version, size_bytes, fields)
  SELECT n % 3, (ARRAY['file', 'agent'])[1 + n % 2], 'x_' || n, CASE WHEN n % 4 = 0 THEN 'sesn_' || n % 40 END, n, n,
    n % 5 = 0, CASE WHEN n % 5 = 0 THEN n END, CASE WHEN n % 3 = 0 THEN n END, 1, n, '{}'
  FROM generate_series(1, ${DOCUMENTS}) AS n;`;

const TABLES = ['sessions', 'deadlines', 'events', 'outbox', 'waiting_outboxes', 'receipts', 'dispatches', 'documents'];

/** Arguments that mean nothing, and what takes their place. */
const EFFECTIVE: ReadonlyMap<string, string> = new Map([
  ['99', '1'],
  ['sesn_none', 'sesn_5'],
  ['nobody', 'one'],
]);

const replicas = shareReplicas();

beforeAll(async () => {
  await replicas.query(FILL);
});

const page = (query: Partial<ListSessions>) => (store: SessionStore) =>
  store.list({ workspaceId: 1, order: 'descending', limit: 100, includeArchived: false, ...query });

const reads: readonly (readonly [name: string, read: (store: SessionStore) => Promise<unknown>, index: string])[] = [
  ['one', (store) => store.load(1, 'sesn_1'), 'sessions_pkey'],
  ['the workspace of one', (store) => store.workspaceOf('sesn_1'), 'sessions_pkey'],
  ['the newest', page({}), 'sessions_listed_idx'],
  ['the oldest with the archived', page({ order: 'ascending', includeArchived: true }), 'sessions_listed_idx'],
  ['the next', page({ after: { createdAtMs: 10_001, id: 'sesn_10001' } }), 'sessions_listed_idx'],
  ['of a time', page({ createdFromMs: 9_000, createdBeforeMs: 10_000 }), 'sessions_listed_idx'],
  ['the few of a status', page({ statuses: ['running'] }), 'sessions_listed_idx'],
  ['of a status that none has', page({ statuses: ['rescheduling'] }), 'sessions_listed_idx'],
  ['of two statuses', page({ statuses: ['terminated', 'running'], includeArchived: true }), 'sessions_listed_idx'],
  ['of an agent', page({ agentId: 'agent_7' }), 'sessions_of_agent_idx'],
  ['of an agent by status', page({ agentId: 'agent_1', statuses: ['running'] }), 'sessions_of_agent_idx'],
  ['of a version', page({ agentId: 'agent_7', agentVersion: 3 }), 'sessions_of_agent_version_idx'],
  ['of no version', page({ agentId: 'agent_7', agentVersion: 9 }), 'sessions_of_agent_version_idx'],
  ['known events', (store) => store.knownEvents('sesn_1', ['sevt_5', 'sevt_7', 'x']), 'events_pkey'],
  ['a receipt', (store) => store.receipt('sesn_1', 'send/1'), 'receipts_pkey'],
  ['an unanswered one', (store) => store.unansweredReceipt('sesn_1', 'hash1', 3_600_000), 'receipts_unanswered_idx'],
  ['an outbox', (store) => store.outbox('sesn_7', 10), 'outbox_pkey'],
  ['outboxes that wait', (store) => store.waitingOutboxes(5_000, 100), 'waiting_outboxes_since_session_id_idx'],
  ['runs that are overdue', (store) => store.overdueRuns(SESSIONS / 2, 100), 'deadlines_deadline_at_session_id_idx'],
];

const pageOf = (query: Partial<ListSessionDocuments>) => (documents: SessionDocuments) =>
  documents.list({ workspaceId: 1, kind: 'file', order: 'descending', limit: 100, includeArchived: false, ...query });

const documentReads: readonly (readonly [string, (documents: SessionDocuments) => Promise<unknown>, string])[] = [
  ['one', (documents) => documents.find(1, 'file', 'x_4'), 'documents_pkey'],
  ['the newest', pageOf({}), 'documents_present_idx'],
  ['all', pageOf({ order: 'ascending', includeArchived: true }), 'documents_archived_idx'],
  ['the next', pageOf({ after: { createdAtMs: 10_000, id: 'x_10000' } }), 'documents_present_idx'],
  ['of a parent', pageOf({ parentId: 'sesn_4' }), 'documents_of_parent_idx'],
  ['of nobody', pageOf({ parentId: 'x' }), 'documents_of_parent_idx'],
  ['what has expired', (documents) => documents.expired('file', 10_000, 100), 'documents_kind_expires_at_id_idx'],
];

describe.each([
  ['without statistics', 'SELECT 1'],
  ['with statistics', `ANALYZE ${TABLES.map((table) => `agent_sessions.${table}`).join(', ')}`],
])('%s', (_, prepare) => {
  beforeAll(async () => void (await replicas.query(prepare)));

  const expectIndex = async (read: () => Promise<unknown>, index: string) => {
    const plan = await explain(replicas.databaseUrl(), 'agent_sessions', read);
    const nodes = nodesOf(plan);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(nodes.flatMap((node) => node['Index Name'] ?? [])).toContain(index);
    expect(pagesTouched(plan)).toBeLessThan(1_000);
    // The beginnings of eight parts at most.
    expect(Math.max(...nodes.map((node) => node['Actual Rows']))).toBeLessThanOrEqual(800);
  };

  it.each(reads)('sessions are read by an index, and few pages are touched: %s', async (_name, read, index) => {
    const { sessionStore } = replicas.open();
    await expectIndex(() => read(sessionStore), index);
  });

  it.each(documentReads)(
    'documents are read by an index, and few pages are touched: %s',
    async (_name, read, index) => {
      const { sessionDocuments } = replicas.open();
      await expectIndex(() => read(sessionDocuments), index);
    },
  );

  it('documents are found by their ids, and few pages are touched', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `x_${n * 100 + 4}`);
    const read = () => pageOf({ ids, includeArchived: true })(replicas.open().sessionDocuments);
    const plan = await explain(replicas.databaseUrl(), 'agent_sessions', read);
    expect(nodesOf(plan).flatMap((node) => node['Index Name'] ?? [])).toEqual(['documents_pkey']);
    expect(pagesTouched(plan)).toBeLessThan(500);
  });

  it('dispatches that are due are claimed by an index, also where very many wait behind others', async () => {
    const claim = () => replicas.open().sessionStore.claimDispatches({ holder: 'one', leaseMs: 60_000, limit: 20 });
    const plan = await explain(replicas.databaseUrl(), 'agent_sessions', claim);
    const nodes = nodesOf(plan);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(nodes.map((node) => node['Index Name'])).toContain('dispatches_ready_at_dispatch_id_idx');
    expect(pagesTouched(plan)).toBeLessThan(1_000);
  });

  it('what a function reads is read by indexes', async () => {
    const { sessionStore, sessionDocuments } = replicas.open();
    const state = sessionOf({ id: 'sesn_31', workspaceId: 1, run: runOf({ deadlineMs: 5 }) });
    const commit = commitOf({
      state,
      expectedVersion: 1,
      events: [eventOf(1), eventOf(2)],
      eventIds: [
        { id: 'new_1', type: 'user.message' },
        { id: 'new_2', type: 'user.message' },
      ],
      dispatches: [startOf()],
      // Looked up in each way that there is.
      receipt: { ...receiptOf('new'), unkeyed: { isRetry: true, arrivedMsAgo: 5, repeatableForMs: 5 } },
    });
    const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['commit_session', () => sessionStore.commit({ ...commit, expectedVersion: 99 })],
      ['settle_outbox', () => sessionStore.settle('sesn_none', 5_000)],
      ['finish_dispatch', () => sessionStore.finishDispatch({ dispatchId: 499, holder: 'nobody', attempt: 1 })],
      ['forget_receipts', () => sessionStore.forgetReceipts(10_000_000, 50)],
      ['create_documents', () => sessionDocuments.create([documentOf()])],
      [
        'replace_document',
        () => sessionDocuments.replace(documentOf({ workspaceId: 1, id: 'x_1' }), 99, [documentOf()]),
      ],
    ];
    for (const [name, call] of calls) {
      const [sent, ...others] = await statementsOf(`agent_sessions.${name}`, call);
      if (!sent || others.length > 0) throw new Error(`${name} is not one statement`);
      // What has no effect in the first call has one in the second.
      const values = sent.values.map((value) => EFFECTIVE.get(String(value)) ?? value);
      const tables = await readsOf(replicas.databaseUrl(), { text: sent.text, values });
      expect({ name, writes: tables.some(({ written }) => written > 0) }).toEqual({ name, writes: true });
      for (const { table, sequentialRows } of tables)
        expect({ name, table, sequentialRows }).toEqual({ name, table, sequentialRows: 0 });
    }
  });
});

it('sum the sizes of files in one look', async () => {
  const plan = await explain(replicas.databaseUrl(), 'agent_sessions', () =>
    replicas.open().sessionDocuments.sum(1, 'file', 'size_bytes'),
  );
  expect(pagesTouched(plan)).toBeLessThan(10);
});
