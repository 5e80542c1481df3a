import { draftOf } from '../src/journal/workspace-draft';
import { agentCompleted } from '../src/runs/run';
import { Replicas, START_MS, type Replica } from './replicas';

let replicas: Replicas;
let replica: Replica;
beforeEach(async () => {
  replicas = await Replicas.open();
  replica = await replicas.start();
});
afterEach(() => replicas.close());

const DEADLINE = START_MS + 60_000;
const turn = { group_chat_id: 'g', session_id: 's', agent_id: 'AMP' };

const begin = () =>
  replica.journal.append({ workspaceId: 1 }, [
    draftOf('agent_spawned', { agent_id: 'AMP', session_id: 'a', workdir: '.', prompt: 'x', deadline_at: DEADLINE }),
    draftOf('group_chat_agent_thinking', { ...turn, agent_name: 'Amp', message_id: 'm', deadline_at: DEADLINE }),
    draftOf('cron_job_triggered', {
      job_id: 'j',
      job_name: 'Job',
      run_id: 'r',
      triggered_at: START_MS,
      due_at: START_MS,
      manual: false,
      missed: 0,
      next_run_at: null,
      deadline_at: DEADLINE,
    }),
  ]);

const ends = () =>
  replicas
    .recorded('agent_completed', 'agent_error', 'group_chat_agent_error', 'cron_job_failed')
    .map(({ type, data }) => ({ type, ...data }));

it('ends runs of every kind whose process died, and once whoever looks', async () => {
  const other = await replicas.start();
  await begin();
  replicas.clock.nowMs = DEADLINE + 4_999;
  await replica.reaper.poll();
  expect(ends()).toEqual([]);
  replicas.clock.nowMs = DEADLINE + 5_000;
  await Promise.all([replica.reaper.poll(), other.reaper.poll()]);
  await replica.reaper.poll();
  const error = 'The process that ran it is gone, or it took too long';
  expect(ends()).toEqual(
    expect.arrayContaining([
      { type: 'agent_error', agent_id: 'AMP', session_id: 'a', error },
      { type: 'group_chat_agent_error', ...turn, error, in_reply_to: 'm' },
      {
        type: 'cron_job_failed',
        job_id: 'j',
        job_name: 'Job',
        run_id: 'r',
        error,
        duration_ms: 65_000,
        failed_at: DEADLINE + 5_000,
      },
    ]),
  );
  expect(ends()).toHaveLength(3);
});

it('keeps the first of two outcomes', async () => {
  await begin();
  const run = { kind: 'agent', workspaceId: 1, agentId: 'AMP', sessionId: 'a', deadlineAt: DEADLINE } as const;
  replicas.projection.pause();
  replicas.clock.nowMs = DEADLINE + 5_000;
  await replica.journal.write({ workspaceId: 1 }, [agentCompleted(run, true)]);
  const reaped = replica.reaper.poll();
  replicas.projection.resume();
  await reaped;
  expect(ends().filter(({ type }) => type.startsWith('agent'))).toEqual([
    { type: 'agent_completed', agent_id: 'AMP', session_id: 'a', success: true },
  ]);
});
