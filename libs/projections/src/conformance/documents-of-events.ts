import { WORKSPACE_EVENT_TYPES } from '@sluice/event-schema';
import { byId, fieldsOf, idsOf, type CurrentHarness } from './harness';
import * as sample from './sample-data';
import { OCCURRED_AT, workspaceEnvelope as event } from './workspace-envelope';

/** What events make of documents. */
export function describeDocumentsOfEvents(current: CurrentHarness): void {
  it('makes a task and changes of it what an event names, null too', async () => {
    const harness = current();
    await harness.record([event('task_created', sample.task('t'), { occurredAt: 1_000 })]);
    const made = {
      workspaceId: 1,
      kind: 'task',
      id: 't',
      fields: sample.task('t'),
      createdAt: 1_000,
      updatedAt: 1_000,
      createdPosition: 1,
      lastPosition: 1,
    };
    expect(await harness.documents.find(1, 'task', 't')).toEqual(made);
    const update = { task_id: 't', title: 'Fix both', agent_id: 'CODEX', prompt: 'go' };
    await harness.record([event('task_updated', update, { occurredAt: 2_000 })]);
    const fields = { ...sample.task('t'), ...update };
    expect(await harness.documents.find(1, 'task', 't')).toEqual({
      ...made,
      fields,
      updatedAt: 2_000,
      lastPosition: 2,
    });
    await harness.record([
      event('task_updated', { task_id: 't', agent_id: null }),
      event('task_status_changed', { task_id: 't', old_status: 'pending', new_status: 'in_progress' }),
    ]);
    expect(await fieldsOf(harness, 'task', 't')).toEqual({ ...fields, agent_id: null, status: 'in_progress' });
  });

  it('makes a session of a spawn, or spawns into one that is there, and follows its outcome', async () => {
    const harness = current();
    await harness.record([
      event('session_created', { session_id: 'known', title: 'Mine', status: 'active' }),
      event('agent_spawned', sample.spawn('known')),
      event('agent_spawned', sample.spawn('new')),
    ]);
    const spawned = { agent_id: 'CODEX', workdir: '/repo', status: 'active' };
    expect(await fieldsOf(harness, 'session', 'known')).toEqual({ session_id: 'known', title: 'Mine', ...spawned });
    expect(await fieldsOf(harness, 'session', 'new')).toEqual({ session_id: 'new', ...spawned });
    const statusAfter = async (...envelopes: Parameters<typeof harness.record>[0]) => {
      await harness.record(envelopes);
      return (await fieldsOf(harness, 'session', 'new'))?.['status'];
    };
    const of = { agent_id: 'CODEX', session_id: 'new' };
    expect(await statusAfter(event('agent_completed', { ...of, success: true }))).toBe('completed');
    expect(await statusAfter(event('agent_completed', { ...of, success: false }))).toBe('cancelled');
    expect(await statusAfter(event('agent_error', { ...of, error: 'no such executor' }))).toBe('failed');
    expect(await statusAfter(event('agent_spawned', sample.spawn('new')))).toBe('active');
    expect(await statusAfter(event('session_updated', { session_id: 'new', status: 'cancelled' }))).toBe('cancelled');
    expect((await fieldsOf(harness, 'session', 'known'))?.['status']).toBe('active');
  });

  it('makes the prompt of a spawn a message of the user, which goes with the session', async () => {
    const harness = current();
    const messages = async () =>
      Object.values(await byId(harness, 'session_message')).map(({ fields, createdPosition, parentId }) => [
        parentId,
        createdPosition,
        fields['role'],
        fields['content'],
      ]);
    const { prompt: _, ...silent } = sample.spawn('silent');
    await harness.record([
      event('agent_spawned', { ...sample.spawn('s'), prompt: 'first' }),
      event('session_message', { session_id: 's', message_id: 'm', role: 'assistant', content: 'done' }),
      event('agent_spawned', silent),
    ]);
    await harness.record([event('agent_spawned', { ...sample.spawn('s'), prompt: 'second' })]);
    expect(await messages()).toEqual([
      ['s', 1, 'user', 'first'],
      ['s', 2, 'assistant', 'done'],
      ['s', 4, 'user', 'second'],
    ]);
    await harness.record([event('session_deleted', { session_id: 's' })]);
    expect(await messages()).toEqual([]);
    await harness.record([event('agent_spawned', { ...sample.spawn('s'), prompt: 'anew' })]);
    expect(await messages()).toEqual([['s', 6, 'user', 'anew']]);
  });

  it('keeps the first of two runs of agents in one session, until its outcome', async () => {
    const harness = current();
    await harness.record([
      event('agent_spawned', sample.spawn('s', 5_000)),
      event('agent_spawned', sample.spawn('s', 6_000)),
    ]);
    expect(await harness.documents.find(1, 'run', 's')).toMatchObject({ dueAt: 5_000, createdPosition: 1 });
    await harness.record([
      event('agent_completed', { agent_id: 'CODEX', session_id: 's', success: true }),
      event('agent_spawned', sample.spawn('s', 7_000)),
    ]);
    expect(await harness.documents.find(1, 'run', 's')).toMatchObject({ dueAt: 7_000, createdPosition: 4 });
  });

  it('keeps what runs until its outcome, with its deadline', async () => {
    const harness = current();
    await harness.record([
      event('agent_spawned', sample.spawn('s', 5_000)),
      event('agent_spawned', sample.spawn('s2')),
      event('group_chat_agent_thinking', sample.thinking('g', 'gs', 'm1')),
      event('group_chat_agent_thinking', sample.thinking('g', 'gs', 'm2')),
      event('cron_job_triggered', sample.trigger('j', 'r1')),
      event('cron_job_triggered', sample.trigger('j', 'r2')),
    ]);
    const runs = await byId(harness, 'run');
    expect(Object.keys(runs)).toEqual(['s', 's2', 'm1/CODEX', 'm2/CODEX', 'r1', 'r2']);
    expect(runs['s']).toMatchObject({
      fields: { kind: 'agent', ...sample.spawn('s', 5_000) },
      parentId: 's',
      dueAt: 5_000,
    });
    expect(runs['m1/CODEX']).toMatchObject({
      fields: { kind: 'group_chat', ...sample.thinking('g', 'gs', 'm1') },
      parentId: 'gs',
      dueAt: 6_000,
    });
    expect(runs['r1']).toMatchObject({
      fields: { kind: 'cron', ...sample.trigger('j', 'r1') },
      parentId: 'j',
      dueAt: 9_500,
    });
    const turn = { group_chat_id: 'g', session_id: 'gs', agent_id: 'CODEX' };
    await harness.record([
      event('agent_completed', { agent_id: 'CODEX', session_id: 's', success: true }),
      event('group_chat_agent_response', sample.response('g', 'gs', 'm1', 'answer')),
      event('cron_job_completed', sample.completed('j', 'r1')),
    ]);
    expect(await idsOf(harness, 'run')).toEqual(['s2', 'm2/CODEX', 'r2']);
    await harness.record([
      event('agent_error', { agent_id: 'CODEX', session_id: 's2', error: 'x' }),
      event('group_chat_agent_error', { ...turn, error: 'x', in_reply_to: 'm2' }),
      event('cron_job_failed', sample.failed('j', 'r2')),
    ]);
    expect(await idsOf(harness, 'run')).toEqual([]);
  });

  it('makes group chats with their members, sessions and messages of people and agents', async () => {
    const harness = current();
    await harness.record([
      event('group_chat_created', sample.groupChat('g')),
      event('group_chat_member_joined', sample.member('g', 'CODEX')),
      event('group_chat_session_created', sample.groupSession('g', 'gs')),
      event('group_chat_message', sample.groupMessage('g', 'gs', 'm1')),
      event('group_chat_agent_response', sample.response('g', 'gs', 'm1', 'm2')),
    ]);
    const settings = { broadcast_mode: 'mention_only', show_thinking: false, history_limit: 5 } as const;
    await harness.record([event('group_chat_updated', { group_chat_id: 'g', settings })]);
    expect(await fieldsOf(harness, 'group_chat', 'g')).toEqual({ ...sample.groupChat('g'), settings });
    expect((await byId(harness, 'group_chat_member'))['g/CODEX']).toMatchObject({
      parentId: 'g',
      fields: { group_chat_id: 'g', ...sample.member('g', 'CODEX').member, joined_at: OCCURRED_AT },
    });
    expect((await byId(harness, 'group_chat_session'))['gs']).toMatchObject({
      parentId: 'g',
      fields: sample.groupSession('g', 'gs'),
    });
    const messages = await byId(harness, 'group_chat_message');
    expect(messages['m1']).toMatchObject({
      parentId: 'gs',
      fields: { type: 'user', ...sample.groupMessage('g', 'gs', 'm1') },
    });
    expect(messages['m2']?.fields).toEqual({
      type: 'agent',
      group_chat_id: 'g',
      session_id: 'gs',
      message_id: 'm2',
      sender_id: 'CODEX',
      sender_name: 'Codex',
      content: 'done',
      in_reply_to: 'm1',
    });
    await harness.record([event('group_chat_member_left', { group_chat_id: 'g', member_id: 'CODEX' })]);
    expect(await idsOf(harness, 'group_chat_member')).toEqual([]);
  });

  it('replaces what a cron job is by an update, and nothing else of it', async () => {
    const harness = current();
    const { every: _every, message: _message, ...rest } = sample.cronJob('j');
    const job = { ...rest, job_type: 'script', script: 'ls', cron: '0 0 * * *', next_run_at: 11_000 } as const;
    await harness.record([
      event('cron_job_created', { job: sample.cronJob('j') }),
      event('cron_job_triggered', sample.trigger('j', 'r')),
    ]);
    const last_run = { run_id: 'r', status: 'running', triggered_at: 9_001, ended_at: null };
    expect(await harness.documents.find(1, 'cron_job', 'j')).toMatchObject({
      fields: { ...sample.cronJob('j'), next_run_at: 10_000, last_run },
      dueAt: 10_000,
    });
    await harness.record([event('cron_job_updated', { job })]);
    const updated = await harness.documents.find(1, 'cron_job', 'j');
    expect(updated?.fields).toEqual({ ...job, last_run });
    expect(updated?.dueAt).toBe(11_000);
  });

  it('tells how the last run of a cron job ended, whatever older runs do', async () => {
    const harness = current();
    const lastRun = async () => (await fieldsOf(harness, 'cron_job', 'j'))?.['last_run'];
    const run = (run_id: string, status: string, ended_at: number | null) => ({
      run_id,
      status,
      triggered_at: 9_001,
      ended_at,
    });
    await harness.record([event('cron_job_created', { job: sample.cronJob('j') })]);
    await harness.record([event('cron_job_completed', sample.completed('j', 'never-seen'))]);
    expect(await lastRun()).toBeUndefined();
    await harness.record([
      event('cron_job_triggered', sample.trigger('j', 'old')),
      event('cron_job_triggered', sample.trigger('j', 'new')),
      event('cron_job_failed', sample.failed('j', 'old')),
    ]);
    expect(await lastRun()).toEqual(run('new', 'running', null));
    await harness.record([
      event('cron_job_failed', sample.failed('j', 'old')),
      event('cron_job_completed', sample.completed('j', 'new')),
    ]);
    expect(await lastRun()).toEqual(run('new', 'success', 9_100));
    await harness.record([event('cron_job_triggered', sample.trigger('j', 'third'))]);
    await harness.record([event('cron_job_failed', sample.failed('j', 'third'))]);
    expect(await lastRun()).toEqual(run('third', 'failed', 9_100));
  });

  it('has a cron job due while it is enabled and has a next run', async () => {
    const harness = current();
    const dueAtAfter = async (...envelopes: Parameters<typeof harness.record>[0]) => {
      await harness.record(envelopes);
      const { dueAt } = (await harness.documents.find(1, 'cron_job', 'j')) ?? {};
      const due = await harness.documents.due({ kind: 'cron_job', dueBefore: 1e12, limit: 10 });
      expect(due.map((document) => document.dueAt)).toEqual(dueAt === undefined ? [] : [dueAt]);
      return dueAt;
    };
    const job = sample.cronJob('j');
    expect(await dueAtAfter(event('cron_job_created', { job }))).toBe(9_000);
    const trigger = sample.trigger('j', 'r');
    expect(await dueAtAfter(event('cron_job_triggered', { ...trigger, next_run_at: null }))).toBeUndefined();
    expect(await dueAtAfter(event('cron_job_triggered', trigger))).toBe(10_000);
    expect(await dueAtAfter(event('cron_job_updated', { job: { ...job, enabled: false } }))).toBeUndefined();
    expect(await dueAtAfter(event('cron_job_triggered', trigger))).toBeUndefined();
    expect(await dueAtAfter(event('cron_job_updated', { job: { ...job, next_run_at: 12_000 } }))).toBe(12_000);
    expect(await dueAtAfter(event('cron_job_deleted', { job_id: 'j' }))).toBeUndefined();
  });

  it('means nothing by a type that it does not know', async () => {
    const harness = current();
    const foreign = ['toString', '__proto__', 'task_exploded'];
    await harness.record(foreign.map((type) => event('task_created', sample.task('t'), { type })));
    expect(await idsOf(harness, 'task')).toEqual([]);
    expect(WORKSPACE_EVENT_TYPES).not.toEqual(expect.arrayContaining(foreign));
  });
}
