import {
  cronJobSchema,
  type RecordedEvent,
  type SessionStatus,
  type WorkspaceEventData,
  type WorkspaceEventType,
} from '@sluice/event-schema';
import type { WorkspaceDocumentChange } from './document-change';
import { groupChatMemberDocumentId, groupChatRunId } from './document-ids';
import { DocumentWriter } from './document-writer';

type Effects<T extends WorkspaceEventType> = (
  data: WorkspaceEventData<T>,
  write: DocumentWriter,
  event: RecordedEvent,
) => readonly WorkspaceDocumentChange[];

const status = (status: SessionStatus) => ({ status });

/** Takes away what the job no longer has. */
const NO_JOB_FIELDS = Object.fromEntries(Object.keys(cronJobSchema.shape).map((name) => [name, undefined]));

const ended = (runId: string, status: 'success' | 'failed', endedAt: number) =>
  new Map([[runId, { status, ended_at: endedAt }]]);

/** What each type means for documents. The compiler asks for a line when a type is added. */
const EFFECTS: { readonly [T in WorkspaceEventType]: Effects<T> } = {
  task_created: (data, write) => [write.create('task', data.task_id, data)],
  task_updated: (data, write) => [write.patch('task', data.task_id, data)],
  task_status_changed: (data, write) => [write.patch('task', data.task_id, { status: data.new_status })],
  task_deleted: (data, write) => [write.remove('task', data.task_id)],

  agent_spawned: (data, write, { id }) => {
    const { session_id, agent_id, workdir, prompt } = data;
    // Of two runs at a time in one session the first one stays: an outcome does not say whose it is.
    const run = write.create('run', session_id, { kind: 'agent', ...data }, { parentId: session_id });
    const session = write.putOrPatch('session', session_id, { session_id, agent_id, workdir, ...status('active') });
    if (!prompt) return [session, run];
    const message_id = `prompt-${id}`;
    const said = { session_id, message_id, role: 'user', content: prompt };
    const place = { parentId: session_id, owner: { kind: 'session', id: session_id }, makesOwner: true } as const;
    return [session, run, write.put('session_message', message_id, said, place)];
  },
  agent_completed: (data, write) => [
    write.patch('session', data.session_id, status(data.success ? 'completed' : 'cancelled')),
    write.remove('run', data.session_id),
  ],
  agent_error: (data, write) => [
    write.patch('session', data.session_id, status('failed')),
    write.remove('run', data.session_id),
  ],

  session_created: (data, write) => [write.create('session', data.session_id, data)],
  session_updated: (data, write) => [write.patch('session', data.session_id, data)],
  session_deleted: (data, write) => [write.removeWithOwned('session', data.session_id)],
  session_message: (data, write) => {
    const session = { kind: 'session', id: data.session_id } as const;
    return [write.put('session_message', data.message_id, data, { parentId: session.id, owner: session })];
  },

  group_chat_created: (data, write) => [write.create('group_chat', data.group_chat_id, data)],
  group_chat_updated: (data, write) => [write.patch('group_chat', data.group_chat_id, data)],
  group_chat_deleted: (data, write) => [write.removeWithOwned('group_chat', data.group_chat_id)],
  group_chat_member_joined: ({ group_chat_id, member_id, member }, write, { occurredAt }) => {
    const fields = { group_chat_id, ...member, joined_at: occurredAt };
    const place = { parentId: group_chat_id, owner: groupChat(group_chat_id) };
    return [write.create('group_chat_member', groupChatMemberDocumentId(group_chat_id, member_id), fields, place)];
  },
  group_chat_member_left: (data, write) => [
    write.remove(
      'group_chat_member',
      groupChatMemberDocumentId(data.group_chat_id, data.member_id),
      groupChat(data.group_chat_id),
    ),
  ],
  group_chat_session_created: (data, write) => {
    const place = { parentId: data.group_chat_id, owner: groupChat(data.group_chat_id) };
    return [write.create('group_chat_session', data.session_id, data, place)];
  },
  group_chat_message: (data, write) => {
    const place = { parentId: data.session_id, owner: groupChat(data.group_chat_id) };
    return [write.put('group_chat_message', data.message_id, { type: 'user', ...data }, place)];
  },
  group_chat_agent_thinking: (data, write) => {
    const runId = groupChatRunId(data.message_id, data.agent_id);
    return [write.put('run', runId, { kind: 'group_chat', ...data }, { parentId: data.session_id })];
  },
  group_chat_agent_response: (data, write) => {
    const { agent_id, agent_name, ...rest } = data;
    const fields = { type: 'agent', sender_id: agent_id, sender_name: agent_name, ...rest };
    const place = { parentId: data.session_id, owner: groupChat(data.group_chat_id) };
    return [
      write.put('group_chat_message', data.message_id, fields, place),
      write.remove('run', groupChatRunId(data.in_reply_to, agent_id)),
    ];
  },
  group_chat_agent_error: (data, write) => [write.remove('run', groupChatRunId(data.in_reply_to, data.agent_id))],

  cron_job_created: ({ job }, write) => [write.create('cron_job', job.id, job)],
  cron_job_updated: ({ job }, write) => [write.patch('cron_job', job.id, { ...NO_JOB_FIELDS, ...job })],
  cron_job_deleted: (data, write) => [write.remove('cron_job', data.job_id)],
  cron_job_triggered: (data, write) => {
    const { job_id, run_id, triggered_at, next_run_at } = data;
    const last_run = { run_id, status: 'running', triggered_at, ended_at: null };
    return [
      write.patch('cron_job', job_id, { next_run_at, last_run }),
      write.put('run', run_id, { kind: 'cron', ...data }, { parentId: job_id }),
    ];
  },
  cron_job_completed: (data, write) => [
    write.patch('cron_job', data.job_id, {}, ended(data.run_id, 'success', data.completed_at)),
    write.remove('run', data.run_id),
  ],
  cron_job_failed: (data, write) => [
    write.patch('cron_job', data.job_id, {}, ended(data.run_id, 'failed', data.failed_at)),
    write.remove('run', data.run_id),
  ],
};

function groupChat(id: string): { kind: 'group_chat'; id: string } {
  return { kind: 'group_chat', id };
}

const isKnown = (type: string): type is WorkspaceEventType => Object.hasOwn(EFFECTS, type);

/** What an event of the workspace family means for documents. A type of no effect here means nothing. */
export function projectWorkspace(event: RecordedEvent): readonly WorkspaceDocumentChange[] {
  return isKnown(event.type) ? effectsOf(event.type, event) : [];
}

/** The projector lets in no event whose data is not what its type has, so the data is what its type says. */
function effectsOf<T extends WorkspaceEventType>(type: T, event: RecordedEvent): readonly WorkspaceDocumentChange[] {
  return EFFECTS[type](event.data as WorkspaceEventData<T>, new DocumentWriter(event), event);
}
