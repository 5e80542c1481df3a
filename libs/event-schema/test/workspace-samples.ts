import type { CronJob, WorkspaceEventData, WorkspaceEventType } from '../src';

const AT = 1_700_000_000_000;

const task = {
  task_id: 'task-abc123',
  title: 'New task',
  description: '',
  status: 'todo',
  agent_id: null,
  prompt: 'Do it',
  priority: 'high',
  creator: 'Ann Other',
  assignee: 'CLAUDE_CODE',
  session_id: 'session-xyz',
  workspace_path: '/path/to/project',
  executor: 'CLAUDE_CODE',
  branch: 'feature/x',
  base_branch: 'main',
} as const;

const session = {
  session_id: 'session-xyz',
  agent_id: 'CLAUDE_CODE',
  title: 'A session',
  workdir: '/path/to/project',
  status: 'active',
} as const;

const settings = { broadcast_mode: 'mention_only', show_thinking: true, history_limit: 10 } as const;

const inGroup = { group_chat_id: 'group-1', session_id: 'session-1' };
const byAgent = { ...inGroup, agent_id: 'agent-1' };

export const CRON_JOB: CronJob = {
  id: 'nightly',
  name: 'Nightly report',
  job_type: 'agent',
  message: 'Report',
  cron: '0 3 * * *',
  timezone: 'Europe/Berlin',
  channel: 'reports',
  agent: 'main',
  enabled: true,
  notifications: { in_app: true, system: false, channel_ids: ['reports'] },
  catch_up: 'once',
  next_run_at: AT,
  created_at: AT,
  updated_at: AT,
};

const run = { job_id: 'nightly', job_name: 'Nightly report', run_id: 'run-1' };

/** Data of each type with every field that it can have. */
export const WORKSPACE_SAMPLES: { readonly [T in WorkspaceEventType]: WorkspaceEventData<T> } = {
  task_created: task,
  task_updated: task,
  task_deleted: { task_id: 'task-abc123' },
  task_status_changed: { task_id: 'task-abc123', old_status: 'pending', new_status: 'in_progress' },
  agent_spawned: {
    agent_id: 'CLAUDE_CODE',
    session_id: 'session-xyz',
    workdir: '/path/to/project',
    prompt: 'Do it',
    deadline_at: AT,
  },
  agent_completed: { agent_id: 'CLAUDE_CODE', session_id: 'session-xyz', success: true },
  agent_error: { agent_id: 'CLAUDE_CODE', session_id: 'session-xyz', error: 'It failed' },
  session_created: session,
  session_updated: session,
  session_deleted: { session_id: 'session-xyz' },
  session_message: { session_id: 'session-xyz', message_id: 'message-1', role: 'assistant', content: 'Hello' },
  group_chat_created: {
    group_chat_id: 'group-1',
    name: 'Team',
    description: 'All of us',
    created_by: 'Ann Other',
    workspace_path: '/path/to/project',
    is_global: false,
    settings,
  },
  group_chat_updated: { group_chat_id: 'group-1', name: 'Team', description: '', settings },
  group_chat_deleted: { group_chat_id: 'group-1' },
  group_chat_member_joined: {
    group_chat_id: 'group-1',
    member_id: 'ann',
    member: { member_type: 'human', member_id: 'ann', display_name: 'Ann Other', role: 'owner', model: null },
  },
  group_chat_member_left: { group_chat_id: 'group-1', member_id: 'ann' },
  group_chat_session_created: { ...inGroup, title: 'Planning', active_agents: ['agent-1'] },
  group_chat_message: { ...inGroup, message_id: 'message-1', sender_id: 'ann', sender_name: 'Ann', content: 'Hi' },
  group_chat_agent_thinking: { ...byAgent, agent_name: 'Agent', message_id: 'message-1', deadline_at: AT },
  group_chat_agent_response: {
    ...byAgent,
    agent_name: 'Agent',
    content: 'Hello',
    message_id: 'message-2',
    in_reply_to: 'message-1',
  },
  group_chat_agent_error: { ...byAgent, error: 'It failed', in_reply_to: 'message-1' },
  cron_job_created: { job: CRON_JOB },
  cron_job_updated: { job: { ...CRON_JOB, enabled: false, next_run_at: null } },
  cron_job_deleted: { job_id: 'nightly' },
  cron_job_triggered: {
    ...run,
    triggered_at: AT + 5,
    due_at: AT,
    manual: false,
    missed: 0,
    next_run_at: AT + 86_400_000,
    deadline_at: AT + 60_000,
  },
  cron_job_completed: {
    ...run,
    job_type: 'agent',
    status: 'success',
    duration_ms: 1_200,
    output: 'All is well',
    completed_at: AT,
  },
  cron_job_failed: { ...run, error: 'It failed', duration_ms: 1_200, failed_at: AT },
};
