import { randomUUID } from 'node:crypto';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import { workspaceEnvelope } from '@sluice/projections/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { explain, explainEach, nodesOf, pagesTouched, statementsOf } from './explain';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const DOCUMENTS = 60_000;
const SESSIONS = 600;
const WORKSPACES = 3;
/** Messages of session n are in workspace n % 3, made one after the other among those of all sessions. */
const FILL = `
  INSERT INTO read_model.workspace_documents (workspace_id, kind, id, scope, parent_id, owner_kind, owner_id, fields,
    created_at, updated_at, created_position, last_position, due_at)
  SELECT n % ${WORKSPACES}, 'session_message', 'm' || n, 's' || n % ${SESSIONS}, 's' || n % ${SESSIONS}, 'session',
    's' || n % ${SESSIONS}, jsonb_build_object('content', '"' || repeat('x', 100) || '"'), n, n, -n, -n, NULL::bigint
  FROM generate_series(1, ${DOCUMENTS}) AS n
  UNION ALL
  SELECT n % ${WORKSPACES}, 'run', 'r' || n, '', NULL, NULL, NULL, '{}', n, n, -${DOCUMENTS} - n, -n, 1000 + n
  FROM generate_series(1, ${DOCUMENTS / 6}) AS n
  UNION ALL
  SELECT n % ${WORKSPACES}, 'session', 's' || n, '', NULL, NULL, NULL, '{"status": "\\"active\\""}', n, n,
    -${2 * DOCUMENTS} - n, -n, NULL
  FROM generate_series(0, ${SESSIONS - 1}) AS n`;

describe('documents of workspaces', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;

  const record = (envelopes: readonly EncodedEnvelope[]) =>
    model.record({ envelopes, parked: [], checkpoints: new Map() });
  const count = async (from: string) => {
    const [row] = await database.query(`SELECT count(*)::int AS count FROM read_model.${from}`);
    return (row as { count: number }).count;
  };

  beforeAll(async () => {
    database = await createFreshDatabase();
    model = await openReadModel({ databaseUrl: database.url });
    await database.query(FILL);
  });

  afterAll(async () => {
    await model.close();
    await database.drop();
  });

  const message = { workspaceId: 1, kind: 'session_message' } as const;
  type Read = (documents: WorkspaceDocuments) => Promise<unknown>;
  const reads: readonly (readonly [name: string, read: Read, index: string])[] = [
    ['one', (documents) => documents.find(1, 'session_message', 'm31'), 'pkey'],
    ['a page', (documents) => documents.list({ ...message, limit: 50 }), 'kind_created_position_idx'],
    [
      'the newest',
      (documents) => documents.list({ ...message, order: 'descending', limit: 50 }),
      'kind_created_position_idx',
    ],
    ['the next', (documents) => documents.list({ ...message, after: -30_000, limit: 50 }), 'kind_created_position_idx'],
    [
      'by parent',
      (documents) => documents.list({ ...message, parentId: 's31', limit: 50 }),
      'parent_id_created_pos_idx',
    ],
    [
      'the newest by parent',
      (documents) => documents.list({ ...message, parentId: 's31', after: -100, order: 'descending', limit: 50 }),
      'parent_id_created_pos_idx',
    ],
    ['of nobody', (documents) => documents.list({ ...message, parentId: 'x', limit: 50 }), 'parent_id_created_pos_idx'],
    ['few due', (documents) => documents.due({ kind: 'run', dueBefore: 1_040, limit: 50 }), 'kind_due_at'],
    [
      'waiting',
      (documents) => documents.countWaiting({ workspaceId: 1, kind: 'run', atMost: 100 }),
      'kind_workspace_id',
    ],
    ['nothing due', (documents) => documents.due({ kind: 'cron_job', dueBefore: 9_000, limit: 50 }), 'kind_due_at'],
  ];

  describe.each([
    ['without statistics', 'SELECT 1'],
    ['with statistics', 'ANALYZE read_model.workspace_documents, read_model.workspace_removals'],
  ])('%s', (_, prepare) => {
    beforeAll(() => database.query(prepare));

    it.each(reads)('are read by an index, and few pages are touched: %s', async (_name, read, index) => {
      const plan = await explain(database.url, 'workspace_documents', () => read(model.workspaceDocuments));
      const nodes = nodesOf(plan);
      // The few removals that wait may be looked through.
      const kinds = nodes.filter((node) => node['Relation Name'] !== 'workspace_removals').map((n) => n['Node Type']);
      expect(kinds).not.toContain('Seq Scan');
      const scan = nodes.find((node) => node['Index Name']?.startsWith('workspace_documents_'));
      expect(scan?.['Index Name']).toContain(index);
      expect(kinds).not.toContain('Sort');
      expect(pagesTouched(plan)).toBeLessThan(200);
    });
  });

  describe.each([
    ['three workspaces', '1, 2'],
    ['a thousand workspaces', '1, 1003'],
  ])('of which many are due in %s', (_, workspaces) => {
    beforeAll(async () => {
      await database.query(`
        INSERT INTO read_model.workspace_documents (workspace_id, kind, id, scope, fields, created_at, updated_at,
          created_position, last_position, due_at)
        SELECT w, 'cron_job', 'j' || n || '-' || w, '', '{}'::jsonb, n, n, -300000 - 50 * w - n, -n, 1000 * w + n
        FROM generate_series(${workspaces}) AS w, generate_series(1, 50) AS n
        UNION ALL
        SELECT 0, 'cron_job', 'flood' || n, '', '{}'::jsonb, n, n, -500000 - n, -n, n FROM generate_series(1, 5000) AS n`);
      await database.query('ANALYZE read_model.workspace_documents');
    });
    afterAll(() => database.query(`DELETE FROM read_model.workspace_documents WHERE kind = 'cron_job'`));

    it('are read by an index, in turns, and what is read does not grow with what is due (G9)', async () => {
      const read = () => model.workspaceDocuments.due({ kind: 'cron_job', dueBefore: 1e9, limit: 100 });
      const due = await read();
      expect(due).toHaveLength(100);
      const ofFlood = due.filter(({ workspaceId }) => workspaceId === 0).length;
      expect(ofFlood).toBe(workspaces === '1, 2' ? 34 : 1);
      const [first, second, ...others] = await explainEach(database.url, 'workspace_documents', read);
      if (!first || !second) throw new Error('no plans');
      expect(others).toEqual([]);
      for (const plan of [first, second]) {
        expect(nodesOf(plan).map((node) => node['Node Type'])).not.toContain('Seq Scan');
      }
      // 100 rows, each on a page of its own at worst, and the index; 5,000 are due.
      expect(pagesTouched(first)).toBeLessThan(300);
      expect(pagesTouched(second)).toBeLessThan(workspaces === '1, 2' ? 1_000 : 15_000);
      const read2 = nodesOf(second).map((node) => node['Actual Rows']);
      expect(Math.max(...read2)).toBeLessThan(1_100);
    });
  });

  it('cost one statement for any number of changes, and none where there are none', async () => {
    const statementsFor = (envelopes: readonly EncodedEnvelope[]) =>
      statementsOf('workspace_documents', () => record(envelopes)).then((sent) => sent.length);
    expect(await statementsFor([sandboxEnvelope(), sandboxEnvelope()])).toBe(0);
    const many = Array.from({ length: 1000 }, (_, n) => [
      workspaceEnvelope('session_created', { session_id: `new-${n}`, status: 'active' }),
      workspaceEnvelope('session_message', { session_id: `new-${n}`, message_id: 'm', role: 'user', content: 'x' }),
      workspaceEnvelope('session_updated', { session_id: `s${3 * (n % 200) + 1}`, title: `title ${n}` }),
      workspaceEnvelope('session_deleted', { session_id: `new-${n - 500}` }),
    ]).flat();
    expect(await statementsFor(many)).toBe(1);
    expect(await model.workspaceDocuments.list({ ...message, parentId: 'new-999', limit: 10 })).toHaveLength(1);
    expect(await model.workspaceDocuments.list({ ...message, parentId: 'new-0', limit: 10 })).toEqual([]);
    expect((await model.workspaceDocuments.find(1, 'session', 's1'))?.fields).toEqual({
      session_id: 's1',
      status: 'active',
      title: 'title 800',
    });
  });

  it('do not write long texts anew when something else changes (G9)', async () => {
    const tasks = Array.from({ length: 20 }, (_, n) => `long-${n}`);
    const description = Array.from({ length: 4_000 }, () => randomUUID())
      .join('')
      .slice(0, 100_000);
    const made = { title: 'x', description, status: 'todo', agent_id: null } as const;
    await record(tasks.map((task_id) => workspaceEnvelope('task_created', { task_id, ...made })));
    const toastedBytes = async () => {
      const [row] = await database.query(`SELECT pg_relation_size(reltoastrelid)::int AS bytes FROM pg_class
        WHERE oid = 'read_model.workspace_documents'::regclass`);
      return (row as { bytes: number }).bytes;
    };
    const before = await toastedBytes();
    expect(before).toBeGreaterThan(tasks.length * 50_000);
    const change = { old_status: 'todo', new_status: 'done' } as const;
    await record(tasks.map((task_id) => workspaceEnvelope('task_status_changed', { task_id, ...change })));
    expect(await toastedBytes()).toBe(before);
    expect((await model.workspaceDocuments.find(1, 'task', 'long-7'))?.fields).toMatchObject({
      description,
      status: 'done',
    });
  });

  it('that go with a large session are hidden at once and deleted bit by bit (G9)', async () => {
    const large = 12_000;
    await record([workspaceEnvelope('session_created', { session_id: 'large', status: 'active' })]);
    await database.query(`
      INSERT INTO read_model.workspace_documents (workspace_id, kind, id, scope, parent_id, owner_kind, owner_id, fields,
        created_at, updated_at, created_position, last_position)
      SELECT 1, 'session_message', 'large-' || n, 'large', 'large', 'session', 'large', '{"content": "\\"x\\""}', n, n, -n, -n
      FROM generate_series(1, ${large}) AS n`);
    const stored = () => count(`workspace_documents WHERE owner_id = 'large'`);
    const seen = async () => {
      const listed = await model.workspaceDocuments.list({ ...message, parentId: 'large', limit: 1000 });
      return listed.map(({ id }) => id);
    };
    expect(await seen()).toHaveLength(1000);
    const say = (message_id: string) =>
      workspaceEnvelope('session_message', { session_id: 'large', message_id, role: 'user', content: 'x' });
    await record([workspaceEnvelope('session_deleted', { session_id: 'large' }), say('late')]);
    expect(await stored()).toBe(large - 5000);
    expect(await seen()).toEqual([]);
    expect(await model.workspaceDocuments.find(1, 'session_message', 'large-1')).toBeUndefined();

    const survivor = 'large-12000';
    await record([
      workspaceEnvelope('session_created', { session_id: 'large', status: 'active' }),
      say('new'),
      say(survivor),
    ]);
    expect(await seen()).toEqual(['new', survivor]);
    for (let batch = 0; batch < 3; batch++) await record([say('new')]);
    expect(await stored()).toBe(2);
    expect(await seen()).toEqual([survivor, 'new']);
    expect(await count('workspace_removals')).toBe(0);
  });

  it('that are hidden and not deleted yet do not keep new ones of their id from being made', async () => {
    const member = (member_id: string, display_name: string) =>
      workspaceEnvelope('group_chat_member_joined', {
        group_chat_id: 'full',
        member_id,
        member: { member_type: 'human', member_id, display_name, role: 'member', model: null },
      });
    const settings = { broadcast_mode: 'all', show_thinking: true, history_limit: 10 } as const;
    const about = { description: '', created_by: 'ada', workspace_path: '/', is_global: false, settings };
    const chat = workspaceEnvelope('group_chat_created', { group_chat_id: 'full', name: 'Full', ...about });
    await record([chat]);
    await database.query(`
      INSERT INTO read_model.workspace_documents (workspace_id, kind, id, scope, parent_id, owner_kind, owner_id, fields,
        created_at, updated_at, created_position, last_position)
      SELECT 1, 'group_chat_member', 'full/' || n, '', 'full', 'group_chat', 'full', '{"display_name": "\\"old\\""}',
        n, n, -${3 * DOCUMENTS} - n, -n
      FROM generate_series(1, 12000) AS n`);
    await record([workspaceEnvelope('group_chat_deleted', { group_chat_id: 'full' })]);
    const again = workspaceEnvelope('group_chat_created', { group_chat_id: 'full', name: 'Again', ...about });
    const hidden = await database.query(`SELECT id FROM read_model.workspace_documents WHERE owner_id = 'full'`);
    const ids = (hidden as readonly { id: string }[]).map(({ id }) => id.slice('full/'.length));
    expect(ids).toHaveLength(7_000);
    const late = ids.at(-1) ?? '';
    await record([again, member(late, 'new'), member(late, 'second')]);
    expect(await model.workspaceDocuments.find(1, 'group_chat_member', `full/${late}`)).toMatchObject({
      fields: { display_name: 'new' },
    });
    await record([member(late, 'third')]);
    const about1 = { workspaceId: 1, kind: 'group_chat_member', parentId: 'full', limit: 10 } as const;
    const seen = await model.workspaceDocuments.list(about1);
    expect(seen.map(({ fields }) => fields['display_name'])).toEqual(['new']);
  });
});
