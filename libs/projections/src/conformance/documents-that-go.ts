import type { EncodedEnvelope } from '@sluice/event-schema';
import { WORKSPACE_DOCUMENT_KINDS } from '../workspace/documents';
import { byId, fieldsOf, idsOf, type CurrentHarness } from './harness';
import * as sample from './sample-data';
import { workspaceEnvelope as event } from './workspace-envelope';

const GROUP_KINDS = ['group_chat', 'group_chat_member', 'group_chat_session', 'group_chat_message'] as const;

/** A group chat with one of everything, in a workspace. */
const everythingOf = (chat: string, workspaceId = 1): EncodedEnvelope[] => {
  const session = `${chat}-session`;
  const where = { workspaceId };
  return [
    event('group_chat_created', sample.groupChat(chat), where),
    event('group_chat_member_joined', sample.member(chat, 'CODEX'), where),
    event('group_chat_session_created', sample.groupSession(chat, session), where),
    event('group_chat_message', sample.groupMessage(chat, session, `${chat}-m1`), where),
    event('group_chat_agent_response', sample.response(chat, session, `${chat}-m1`, `${chat}-m2`), where),
  ];
};

/** An update of everything that can be updated, all with the same id. */
const updatesOf = (id: string): EncodedEnvelope[] => [
  event('task_updated', { task_id: id, title: 'x' }),
  event('task_status_changed', { task_id: id, old_status: 'todo', new_status: 'done' }),
  event('task_deleted', { task_id: id }),
  event('session_updated', { session_id: id, status: 'failed' }),
  event('agent_completed', { agent_id: 'a', session_id: id, success: true }),
  event('agent_error', { agent_id: 'a', session_id: id, error: 'x' }),
  event('session_message', sample.sessionMessage(id, 'm')),
  event('session_deleted', { session_id: id }),
  event('group_chat_updated', { group_chat_id: id, name: 'x' }),
  event('group_chat_member_joined', sample.member(id, 'CODEX')),
  event('group_chat_member_left', { group_chat_id: id, member_id: 'CODEX' }),
  event('group_chat_session_created', sample.groupSession(id, 's')),
  event('group_chat_message', sample.groupMessage(id, 's', 'm')),
  event('group_chat_agent_response', sample.response(id, 's', 'm', 'n')),
  event('group_chat_deleted', { group_chat_id: id }),
  event('cron_job_updated', { job: sample.cronJob(id) }),
  event('cron_job_completed', sample.completed(id, 'r')),
  event('cron_job_failed', sample.failed(id, 'r')),
  event('cron_job_deleted', { job_id: id }),
];

/** What is left when things are deleted. */
export function describeDocumentsThatGo(current: CurrentHarness): void {
  it('changes nothing by news of what does not exist', async () => {
    const harness = current();
    for (const update of updatesOf('missing')) await harness.record([update]);
    await harness.record(updatesOf('missing'));
    for (const kind of WORKSPACE_DOCUMENT_KINDS)
      expect({ kind, ids: await idsOf(harness, kind) }).toEqual({ kind, ids: [] });
  });

  it.each(['in one batch', 'in batches of one'])('deletes and makes anew, %s', async (how) => {
    const harness = current();
    const record = async (...envelopes: EncodedEnvelope[]) => {
      if (how === 'in one batch') return harness.record(envelopes);
      for (const envelope of envelopes) await harness.record([envelope]);
    };
    const task = { ...sample.task('t'), prompt: 'old' };
    await record(
      event('task_created', task),
      event('task_deleted', { task_id: 't' }),
      event('task_updated', { task_id: 't', title: 'late' }),
      event('task_created', sample.task('t')),
      event('task_updated', { task_id: 't', title: 'new' }),
    );
    const made = await harness.documents.find(1, 'task', 't');
    expect(made).toMatchObject({ fields: { ...sample.task('t'), title: 'new' }, createdPosition: 4, lastPosition: 5 });
    expect(made?.fields).not.toHaveProperty('prompt');
    await record(
      event('task_updated', { task_id: 't', prompt: 'gone soon' }),
      event('task_deleted', { task_id: 't' }),
      event('task_created', sample.task('t')),
      event('task_deleted', { task_id: 't' }),
    );
    expect(await harness.documents.find(1, 'task', 't')).toBeUndefined();
    await record(
      event('session_updated', { session_id: 's', status: 'failed', title: 'of nothing' }),
      event('agent_spawned', sample.spawn('s')),
      event('session_updated', { session_id: 's', workdir: '/new' }),
    );
    expect(await fieldsOf(harness, 'session', 's')).toEqual({
      session_id: 's',
      agent_id: 'CODEX',
      workdir: '/new',
      status: 'active',
    });
    await record(event('session_deleted', { session_id: 's' }), event('agent_spawned', sample.spawn('s')));
    expect(await fieldsOf(harness, 'session', 's')).toMatchObject({ workdir: '/repo' });
  });

  it('deletes a session with its messages, and nothing of another one', async () => {
    const harness = current();
    await harness.record([
      event('session_created', { session_id: 's', status: 'active' }),
      event('session_created', { session_id: 'other', status: 'active' }),
      event('session_message', sample.sessionMessage('s', 'm1')),
      event('session_message', sample.sessionMessage('other', 'm2')),
    ]);
    await harness.record([
      event('session_message', sample.sessionMessage('s', 'm3')),
      event('session_deleted', { session_id: 's' }),
      event('session_message', sample.sessionMessage('s', 'late')),
    ]);
    await harness.record([event('session_message', sample.sessionMessage('s', 'later'))]);
    expect(await idsOf(harness, 'session')).toEqual(['other']);
    expect(await idsOf(harness, 'session_message')).toEqual(['m2']);
  });

  it('deletes a group chat with all that is in it, and nothing of another one or another workspace (G8)', async () => {
    const harness = current();
    await harness.record([...everythingOf('g'), ...everythingOf('other')]);
    await harness.record([
      ...everythingOf('g', 2),
      event('session_created', { session_id: 'g', status: 'active' }),
      event('session_message', sample.sessionMessage('g', 'm')),
      event('group_chat_agent_thinking', sample.thinking('g', 'g-session', 'g-m1')),
    ]);
    await harness.record([event('group_chat_deleted', { group_chat_id: 'g' })]);
    await harness.record([event('group_chat_agent_response', sample.response('g', 'g-session', 'x', 'late'))]);
    const left = async (workspaceId: number) => {
      const lists = GROUP_KINDS.map((kind) => harness.documents.list({ workspaceId, kind, limit: 100 }));
      return (await Promise.all(lists)).map((list) => list.map(({ id }) => id));
    };
    expect(await left(1)).toEqual([['other'], ['other/CODEX'], ['other-session'], ['other-m1', 'other-m2']]);
    expect(await left(2)).toEqual([['g'], ['g/CODEX'], ['g-session'], ['g-m1', 'g-m2']]);
    // A session of the same id is something else, and what runs must still end.
    expect(await idsOf(harness, 'session_message')).toEqual(['m']);
    expect(await idsOf(harness, 'run')).toEqual(['g-m1/CODEX']);
  });

  it('makes a deleted group chat anew without what was in it', async () => {
    const harness = current();
    await harness.record(everythingOf('g'));
    await harness.record([
      event('group_chat_member_joined', sample.member('g', 'first')),
      event('group_chat_deleted', { group_chat_id: 'g' }),
      event('group_chat_member_joined', sample.member('g', 'late')),
      event('group_chat_created', sample.groupChat('g')),
      event('group_chat_member_joined', sample.member('g', 'second')),
    ]);
    expect(await idsOf(harness, 'group_chat')).toEqual(['g']);
    expect(await idsOf(harness, 'group_chat_member')).toEqual(['g/second']);
    expect(await idsOf(harness, 'group_chat_message')).toEqual([]);
  });

  it('keeps the running runs of a deleted cron job', async () => {
    const harness = current();
    await harness.record([
      event('cron_job_created', { job: sample.cronJob('j') }),
      event('cron_job_triggered', sample.trigger('j', 'r')),
      event('cron_job_deleted', { job_id: 'j' }),
    ]);
    expect(await idsOf(harness, 'cron_job')).toEqual([]);
    expect(Object.keys(await byId(harness, 'run'))).toEqual(['r']);
  });
}
