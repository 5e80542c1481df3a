import type { CronJob, WorkspaceEventData } from '@sluice/event-schema';

export const task = (task_id: string): WorkspaceEventData<'task_created'> => ({
  task_id,
  title: 'Fix the login',
  description: '',
  status: 'pending',
  agent_id: null,
});

export const spawn = (session_id: string, deadline_at = 5_000): WorkspaceEventData<'agent_spawned'> => ({
  agent_id: 'CODEX',
  session_id,
  workdir: '/repo',
  prompt: 'go',
  deadline_at,
});

export const sessionMessage = (session_id: string, message_id: string): WorkspaceEventData<'session_message'> => ({
  session_id,
  message_id,
  role: 'user',
  content: 'hello',
});

export const groupChat = (group_chat_id: string): WorkspaceEventData<'group_chat_created'> => ({
  group_chat_id,
  name: 'Release',
  description: '',
  created_by: 'ada',
  workspace_path: '/repo',
  is_global: false,
  settings: { broadcast_mode: 'all', show_thinking: true, history_limit: 10 },
});

export const member = (group_chat_id: string, member_id: string): WorkspaceEventData<'group_chat_member_joined'> => ({
  group_chat_id,
  member_id,
  member: { member_type: 'agent', member_id, display_name: 'Codex', role: 'member', model: null },
});

export const groupSession = (
  group_chat_id: string,
  session_id: string,
): WorkspaceEventData<'group_chat_session_created'> => ({
  group_chat_id,
  session_id,
  title: 'Monday',
  active_agents: ['CODEX'],
});

export const groupMessage = (
  group_chat_id: string,
  session_id: string,
  message_id: string,
): WorkspaceEventData<'group_chat_message'> => ({
  group_chat_id,
  session_id,
  message_id,
  sender_id: 'ada',
  sender_name: 'Ada',
  content: 'hello',
});

/** The agent CODEX begins to think about a message. */
export const thinking = (
  group_chat_id: string,
  session_id: string,
  message_id: string,
): WorkspaceEventData<'group_chat_agent_thinking'> => ({
  group_chat_id,
  session_id,
  agent_id: 'CODEX',
  agent_name: 'Codex',
  message_id,
  deadline_at: 6_000,
});

export const response = (
  group_chat_id: string,
  session_id: string,
  in_reply_to: string,
  message_id: string,
): WorkspaceEventData<'group_chat_agent_response'> => ({
  group_chat_id,
  session_id,
  agent_id: 'CODEX',
  agent_name: 'Codex',
  content: 'done',
  message_id,
  in_reply_to,
});

/** Every hour; its next run is due at 9000. */
export const cronJob = (id: string): CronJob => ({
  id,
  name: 'Nightly',
  job_type: 'agent',
  message: 'tidy up',
  every: 3600,
  agent: 'main',
  enabled: true,
  notifications: { in_app: true, system: false, channel_ids: [] },
  catch_up: 'once',
  next_run_at: 9_000,
  created_at: 1,
  updated_at: 1,
});

/** The job begins a run, and its next one is due at 10000. */
export const trigger = (job_id: string, run_id: string): WorkspaceEventData<'cron_job_triggered'> => ({
  job_id,
  job_name: 'Nightly',
  run_id,
  triggered_at: 9_001,
  due_at: 9_000,
  manual: false,
  missed: 0,
  next_run_at: 10_000,
  deadline_at: 9_500,
});

export const completed = (job_id: string, run_id: string): WorkspaceEventData<'cron_job_completed'> => ({
  job_id,
  job_name: 'Nightly',
  job_type: 'agent',
  run_id,
  status: 'success',
  duration_ms: 99,
  completed_at: 9_100,
});

export const failed = (job_id: string, run_id: string): WorkspaceEventData<'cron_job_failed'> => ({
  job_id,
  job_name: 'Nightly',
  run_id,
  error: 'refused',
  duration_ms: 99,
  failed_at: 9_100,
});
