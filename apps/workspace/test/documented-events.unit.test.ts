import {
  DOCUMENTED_WORKSPACE_EVENTS,
  toWorkspacePayload,
  workspaceDocumentName,
  workspaceEventDataSchema,
  type EventEnvelope,
  type WorkspaceEventType,
} from '@sluice/event-schema';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
beforeAll(async () => {
  service = await startWorkspace();
});
afterAll(() => service.stop());

const call = async (method: string, path: string, json?: unknown) => (await service.call(method, path, json)).body;

/** What each documented event is made by, and the fields that its document shows. */
const PRODUCERS: Record<
  (typeof DOCUMENTED_WORKSPACE_EVENTS)[number],
  [produce: () => Promise<unknown>, ...fields: string[]]
> = {
  TaskCreated: [() => call('POST', '/api/tasks', { title: 'New task' }), 'task_id', 'title'],
  TaskUpdated: [async () => call('PATCH', `/api/tasks/${(await aTask()).id}`, { title: 'Other' }), 'task_id', 'title'],
  TaskDeleted: [async () => call('DELETE', `/api/tasks/${(await aTask()).id}`), 'task_id'],
  TaskStatusChanged: [
    async () => call('PATCH', `/api/tasks/${(await aTask()).id}`, { status: 'in_progress' }),
    'task_id',
    'old_status',
    'new_status',
  ],
  AgentSpawned: [() => spawn('work'), 'agent_id', 'session_id', 'workdir'],
  AgentCompleted: [() => spawn('work'), 'agent_id', 'session_id', 'success'],
  AgentError: [() => spawn('fail: no'), 'agent_id', 'session_id', 'error'],
  GroupChatMessage: [() => say(), 'group_chat_id', 'message_id', 'content'],
  GroupChatAgentThinking: [() => say(), 'group_chat_id', 'session_id', 'agent_id', 'agent_name'],
  GroupChatAgentResponse: [() => say(), 'group_chat_id', 'session_id', 'agent_id', 'agent_name', 'content'],
  CronJobTriggered: [() => runJob('work'), 'job_id', 'triggered_at'],
  CronJobCompleted: [() => runJob('work'), 'job_id', 'job_name', 'job_type', 'status', 'duration_ms', 'completed_at'],
  CronJobFailed: [() => runJob('fail: no'), 'job_id', 'job_name', 'error', 'duration_ms', 'failed_at'],
};

const aTask = () => call('POST', '/api/tasks', { title: 'New task', status: 'pending' });
const spawn = (prompt: string) =>
  call('POST', '/api/agents/CLAUDE_CODE/spawn', { prompt, workdir: '/path/to/project' });

async function say() {
  const { group_chat: chat } = await call('POST', '/api/group-chats', {
    name: 'Team',
    members: [{ type: 'agent', member_id: 'AMP' }],
  });
  const session = await call('POST', `/api/group-chats/${chat.id}/sessions`, {});
  return call('POST', `/api/group-chats/${chat.id}/sessions/${session.id}/messages`, { content: 'Hello' });
}

async function runJob(message: string) {
  const job = await call('POST', '/api/cron', { name: 'Job', message, every: 100_000 });
  return call('POST', `/api/cron/${job.id}/run`);
}

it.each(DOCUMENTED_WORKSPACE_EVENTS)('makes %s by its producer, in the form of its document', async (name) => {
  const [produce, ...fields] = PRODUCERS[name];
  const before = new Set(service.events().map(({ id }) => id));
  await produce();
  const isIt = (event: EventEnvelope) => workspaceDocumentName(event.type) === name && !before.has(event.id);
  const event = await until(() => service.events().find(isIt), name);
  workspaceEventDataSchema(event.type as WorkspaceEventType).parse(event.data);
  const { name: shown, data } = toWorkspacePayload(event, 'document');
  expect([shown, data['type']]).toEqual([name, name]);
  for (const field of [...fields, 'timestamp']) expect(data).toHaveProperty(field);
});
