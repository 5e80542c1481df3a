import { MAX_WORKSPACE_OBJECT_ID_LENGTH } from '@sluice/event-schema';
import { MAX_DUE_DOCUMENTS, MIN_CUT_PAGE_DOCUMENTS, type ListWorkspaceDocuments } from '../workspace/documents';
import { fieldsOf, idsOf, type CurrentHarness } from './harness';
import * as sample from './sample-data';
import { workspaceEnvelope as event } from './workspace-envelope';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** How documents are read, and what they can hold. */
export function describeReadsOfDocuments(current: CurrentHarness): void {
  it('lists pages in the order in which documents were made, both ways, by parent', async () => {
    const harness = current();
    await harness.record([
      event('session_created', { session_id: 'odd', status: 'active' }),
      event('session_created', { session_id: 'even', status: 'active' }),
    ]);
    await harness.record(
      range(3, 12).map((n) => event('session_message', sample.sessionMessage(n % 2 ? 'odd' : 'even', `m${12 - n}`))),
    );
    const positions = async (query: Partial<ListWorkspaceDocuments>) => {
      const page = { workspaceId: 1, kind: 'session_message', limit: 100, ...query } as const;
      return (await harness.documents.list(page)).map(({ createdPosition }) => createdPosition);
    };
    expect(await positions({})).toEqual(range(3, 12));
    expect(await positions({ order: 'descending' })).toEqual(range(3, 12).reverse());
    expect(await positions({ after: 5, limit: 3 })).toEqual([6, 7, 8]);
    expect(await positions({ after: 5, order: 'descending' })).toEqual([4, 3]);
    expect(await positions({ parentId: 'odd' })).toEqual([3, 5, 7, 9, 11]);
    expect(await positions({ parentId: 'even', after: 6, limit: 2 })).toEqual([8, 10]);
    expect(await positions({ parentId: 'even', after: 6, order: 'descending' })).toEqual([4]);
    expect(await positions({ parentId: 'none' })).toEqual([]);
    expect(await positions({ workspaceId: 2 })).toEqual([]);
    expect(await positions({ limit: 0 })).toEqual([]);
    expect(await positions({ limit: 1_000_000 })).toEqual(range(3, 12));
  });

  it('keeps workspaces and kinds apart (G8)', async () => {
    const harness = current();
    await harness.record([
      event('task_created', { ...sample.task('same'), title: 'one' }),
      event('task_created', { ...sample.task('same'), title: 'two' }, { workspaceId: 2 }),
      event('session_created', { session_id: 'same', status: 'active' }, { workspaceId: 3 }),
      event('task_updated', { task_id: 'same', title: 'three' }, { workspaceId: 3 }),
    ]);
    const titleIn = async (workspaceId: number) =>
      (await harness.documents.find(workspaceId, 'task', 'same'))?.fields['title'];
    expect([await titleIn(1), await titleIn(2), await titleIn(3)]).toEqual(['one', 'two', undefined]);
    await harness.record([event('task_deleted', { task_id: 'same' }, { workspaceId: 2 })]);
    expect([await titleIn(1), await titleIn(2)]).toEqual(['one', undefined]);
  });

  it('lets workspaces take turns where much is due, and fills the page (G9)', async () => {
    const harness = current();
    const job = (id: string, next_run_at: number, workspaceId: number, enabled = true) =>
      event('cron_job_created', { job: { ...sample.cronJob(id), next_run_at, enabled } }, { workspaceId });
    await harness.record([
      ...range(1, 300).map((n) => job(`flood-${n}`, n, 1)),
      ...range(1, 3).map((n) => job(`calm-${n}`, 1_000 + n, 7)),
      ...range(1, 2).map((n) => job(`other-${n}`, 900 + n, 3)),
      job('disabled', 1, 8, false),
      job('later', 5_000, 9),
    ]);
    await harness.record(range(1, 3).map((n) => event('agent_spawned', sample.spawn(`s${n}`, 10), { workspaceId: 4 })));
    const due = async (limit: number, dueBefore = 2_000) =>
      (await harness.documents.due({ kind: 'cron_job', dueBefore, limit })).map(({ id }) => id);
    expect(await due(1)).toEqual(['flood-1']);
    expect(await due(2)).toEqual(['flood-1', 'other-1']);
    expect(await due(7)).toEqual(['flood-1', 'other-1', 'calm-1', 'flood-2', 'other-2', 'calm-2', 'flood-3']);
    const page = await due(MAX_DUE_DOCUMENTS);
    expect(page.slice(6)).toEqual(['flood-3', 'calm-3', ...range(4, MAX_DUE_DOCUMENTS - 5).map((n) => `flood-${n}`)]);
    expect(await due(1_000, 1_002)).toEqual([...page.slice(0, 7), ...range(4, 96).map((n) => `flood-${n}`)]);
    expect(await due(10, 2)).toEqual(['flood-1', 'flood-2']);
    expect(await due(0)).toEqual([]);
    const waiting = (workspaceId: number, atMost: number) =>
      harness.documents.countWaiting({ workspaceId, kind: 'cron_job', atMost });
    expect(await Promise.all([1, 3, 4, 8, 9].map((workspaceId) => waiting(workspaceId, 250)))).toEqual([
      250, 2, 0, 0, 1,
    ]);
    expect([await waiting(1, 1_000), await waiting(1, 0)]).toEqual([300, 0]);
  });

  it('tells what is due in all workspaces, the earliest first', async () => {
    const harness = current();
    const deadlines = [300, 100, 200, 100, 400];
    await harness.record(
      deadlines.map((deadline, n) => event('agent_spawned', sample.spawn(`s${n}`, deadline), { workspaceId: n })),
    );
    await harness.record([event('cron_job_created', { job: { ...sample.cronJob('j'), next_run_at: 50 } })]);
    const due = async (dueBefore: number, limit = 10) =>
      (await harness.documents.due({ kind: 'run', dueBefore, limit })).map(({ id, dueAt }) => [id, dueAt]);
    expect(await due(99)).toEqual([]);
    expect(await due(100)).toEqual([
      ['s1', 100],
      ['s3', 100],
    ]);
    expect((await due(1_000)).map(([, dueAt]) => dueAt)).toEqual([100, 100, 200, 300, 400]);
    expect(await due(1_000, 1)).toEqual([['s1', 100]]);
    await harness.record(
      range(1, MAX_DUE_DOCUMENTS).map((n) => event('agent_spawned', sample.spawn(`more-${n}`, 500))),
    );
    expect(await due(1_000, 1_000_000)).toHaveLength(MAX_DUE_DOCUMENTS);
  });

  it('gives back every text as it came, and never fails for one (G7)', async () => {
    const harness = current();
    const texts = [
      '\u0000',
      '\\u0000',
      '\u0000\u001f\u007f',
      '"\\\'',
      'null',
      '',
      '🐚\n\r\u2028',
      '{"a":null}',
      '$1 %s',
    ];
    await harness.record(
      texts.map((description, n) => event('task_created', { ...sample.task(`t${n}`), description, prompt: 'x' })),
    );
    await harness.record(
      texts.map((prompt, n) => event('task_updated', { task_id: `t${n}`, prompt, priority: prompt })),
    );
    for (const [n, text] of texts.entries()) {
      expect(await fieldsOf(harness, 'task', `t${n}`)).toEqual({
        ...sample.task(`t${n}`),
        description: text,
        prompt: text,
        priority: text,
      });
    }
  });

  it('keeps documents with the longest ids, and finds nothing by an id that none can have', async () => {
    const harness = current();
    // Characters that do not repeat cannot be compressed away.
    const longest = (first: number) =>
      range(1, MAX_WORKSPACE_OBJECT_ID_LENGTH)
        .map((n) => String.fromCodePoint(first + n * 97))
        .join('');
    const [chat, long] = [longest(0x20000), longest(0x21000)];
    await harness.record([
      event('group_chat_created', sample.groupChat(chat)),
      event('group_chat_member_joined', sample.member(chat, long)),
      event('group_chat_session_created', sample.groupSession(chat, long)),
      event('group_chat_message', sample.groupMessage(chat, long, long)),
      event('group_chat_agent_thinking', { ...sample.thinking(chat, long, long), agent_id: chat }),
    ]);
    expect(await idsOf(harness, 'group_chat_member')).toEqual([`${chat}/${long}`]);
    expect(await idsOf(harness, 'run')).toEqual([`${long}/${chat}`]);
    for (const id of ['', '\u0000', 'x'.repeat(100_000), "' OR true --", '__proto__']) {
      expect(await harness.documents.find(1, 'task', id)).toBeUndefined();
      expect(await harness.documents.list({ workspaceId: 1, kind: 'task', parentId: id, limit: 1 })).toEqual([]);
    }
  });

  it('lists many large documents in pages that end early, and misses none (G9)', async () => {
    const harness = current();
    const count = 250;
    const content = 'x'.repeat(90_000);
    await harness.record([event('session_created', { session_id: 's', status: 'active' })]);
    for (const from of [1, 51, 101, 151, 201]) {
      const messages = range(from, from + 49).map((n) => ({ ...sample.sessionMessage('s', `m${n}`), content }));
      await harness.record(messages.map((message) => event('session_message', message)));
    }
    const ids: string[] = [];
    let after: number | undefined;
    for (let pages = 0; pages <= count; pages++) {
      const place = { workspaceId: 1, kind: 'session_message', parentId: 's', limit: 1_000 } as const;
      const page = await harness.documents.list(after === undefined ? place : { ...place, after });
      ids.push(...page.map(({ id }) => id));
      if (page.length < MIN_CUT_PAGE_DOCUMENTS) break;
      after = page.at(-1)?.createdPosition;
    }
    expect(ids).toEqual(range(1, count).map((n) => `m${n}`));
  });
}
