import {
  WORKSPACE_EVENT_TYPES,
  type EncodedEnvelope,
  type WorkspaceEventData,
  type WorkspaceEventType,
} from '@sluice/event-schema';
import fc from 'fast-check';
import * as sample from './sample-data';
import { OCCURRED_AT, workspaceEnvelope } from './workspace-envelope';

/** Few ids, so that events meet; some that are names of every object. */
const id = fc.constantFrom('a', '__proto__');
const messageId = fc.constantFrom('m', 'n', 'constructor');
const runId = fc.constantFrom('r', '__proto__');
const text = fc.constantFrom('', 'plain', 'null', '"', '\\u0000', '\u0000\u001f', '🐚\n');
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const job = fc
  .tuple(id, fc.boolean(), fc.boolean(), some(text), fc.option(fc.nat(50)))
  .map(([jobId, enabled, isCron, message, next_run_at]) => {
    const { every, message: _, ...rest } = sample.cronJob(jobId);
    return {
      ...rest,
      enabled,
      next_run_at,
      ...(isCron ? { cron: '0 0 * * *' } : { every }),
      ...(message === undefined ? {} : { message }),
    };
  });

/** Data of each type. The compiler asks for a line when a type is added. */
const DATA: { readonly [T in WorkspaceEventType]: fc.Arbitrary<WorkspaceEventData<T>> } = {
  task_created: fc.tuple(id, text).map(([taskId, title]) => ({ ...sample.task(taskId), title, prompt: title })),
  task_updated: fc.record({ task_id: id, description: text, agent_id: fc.option(id) }, { requiredKeys: ['task_id'] }),
  task_deleted: fc.record({ task_id: id }),
  task_status_changed: fc.record({
    task_id: id,
    old_status: fc.constant('pending' as const),
    new_status: fc.constantFrom('done', 'failed'),
  }),
  agent_spawned: fc.tuple(id, fc.nat(50)).map(([sessionId, deadline]) => sample.spawn(sessionId, deadline)),
  agent_completed: fc.record({ agent_id: id, session_id: id, success: fc.boolean() }),
  agent_error: fc.record({ agent_id: id, session_id: id, error: text }),
  session_created: fc.record(
    { session_id: id, title: text, status: fc.constant('active' as const) },
    { requiredKeys: ['session_id', 'status'] },
  ),
  session_updated: fc.record(
    { session_id: id, workdir: text, status: fc.constantFrom('cancelled', 'failed') },
    { requiredKeys: ['session_id'] },
  ),
  session_deleted: fc.record({ session_id: id }),
  session_message: fc.tuple(id, messageId).map(([sessionId, message]) => sample.sessionMessage(sessionId, message)),
  group_chat_created: id.map(sample.groupChat),
  group_chat_updated: fc.record({ group_chat_id: id, name: text }, { requiredKeys: ['group_chat_id'] }),
  group_chat_deleted: fc.record({ group_chat_id: id }),
  group_chat_member_joined: fc.tuple(id, id).map(([chatId, memberId]) => sample.member(chatId, memberId)),
  group_chat_member_left: fc.record({ group_chat_id: id, member_id: id }),
  group_chat_session_created: fc.tuple(id, id).map(([chatId, sessionId]) => sample.groupSession(chatId, sessionId)),
  group_chat_message: fc
    .tuple(id, id, messageId)
    .map(([chatId, sessionId, message]) => sample.groupMessage(chatId, sessionId, message)),
  group_chat_agent_thinking: fc
    .tuple(id, id, messageId)
    .map(([chatId, sessionId, message]) => sample.thinking(chatId, sessionId, message)),
  group_chat_agent_response: fc
    .tuple(id, id, messageId, messageId)
    .map(([chatId, sessionId, asked, answer]) => sample.response(chatId, sessionId, asked, answer)),
  group_chat_agent_error: fc.record({
    group_chat_id: id,
    session_id: id,
    agent_id: fc.constant('CODEX'),
    error: text,
    in_reply_to: messageId,
  }),
  cron_job_created: fc.record({ job }),
  cron_job_updated: fc.record({ job }),
  cron_job_deleted: fc.record({ job_id: id }),
  cron_job_triggered: fc
    .tuple(id, runId, fc.option(fc.nat(50)))
    .map(([jobId, run, next_run_at]) => ({ ...sample.trigger(jobId, run), next_run_at })),
  cron_job_completed: fc.tuple(id, runId).map(([jobId, run]) => sample.completed(jobId, run)),
  cron_job_failed: fc.tuple(id, runId).map(([jobId, run]) => sample.failed(jobId, run)),
};

function eventOf<T extends WorkspaceEventType>(type: T): fc.Arbitrary<EncodedEnvelope> {
  const where = fc.tuple(fc.constantFrom(1, 1, 1, 2), fc.nat(100));
  return fc
    .tuple(DATA[type], where)
    .map(([data, [workspaceId, later]]) =>
      workspaceEnvelope(type, data, { workspaceId, occurredAt: OCCURRED_AT + later }),
    );
}

/** Batches of events that meet each other, in any order: also orders that no producer of ours makes. */
export const workspaceHistory: fc.Arbitrary<readonly (readonly EncodedEnvelope[])[]> = fc.array(
  fc.array(fc.oneof(...WORKSPACE_EVENT_TYPES.map(eventOf)), { maxLength: 30, size: 'max' }),
  { maxLength: 4, size: 'max' },
);
