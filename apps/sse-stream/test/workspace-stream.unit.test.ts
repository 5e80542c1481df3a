import { decodeCursor } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { DOCUMENTED_WORKSPACE_EVENTS, WORKSPACE_EVENT_TYPES, workspaceDocumentName } from '@sluice/event-schema';
import { EventSource } from 'eventsource';
import type { SseClient } from './sse-client';
import {
  OPERATOR_KEY,
  registryEvent,
  sandboxEvent,
  startStreams,
  workspaceEvent,
  type StreamService,
} from './stream-service';

const PATH = '/api/events';
const occurredAt = Date.parse('2024-01-16T10:00:00.000Z');

describe('GET /api/events', () => {
  let service: StreamService;
  let key: string;
  afterEach(() => service.stop());

  async function start(...options: Parameters<typeof startStreams>): Promise<void> {
    service = await startStreams(...options);
    key = await service.key();
  }
  const open = async (query = '', options = {}) => {
    const client = await service.openAt(`${PATH}${query}`, { key, ...options });
    await until(() => client.comments > 0 || client.isClosed, 'it begins');
    return client;
  };

  it('answers at once with the documented head, retry, a comment and where it is', async () => {
    await start({ retryMs: 1_234 });
    const client = await open('', { headers: { origin: 'http://localhost:3000' } });
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
    });
    expect(client.text).toBe(`retry: 1234\n\n: open\n\nid: ${client.lastEventId}\n\n`);
    expect(client.header('last-event-id')).toBe(client.lastEventId);
  });

  const status = { task_id: 'task-abc123', old_status: 'pending', new_status: 'in_progress' };
  it.each([
    ['', 'TaskStatusChanged', { type: 'TaskStatusChanged', ...status, timestamp: '2024-01-16T10:00:00.000Z' }],
    [
      '?format=document',
      'TaskStatusChanged',
      { type: 'TaskStatusChanged', ...status, timestamp: '2024-01-16T10:00:00.000Z' },
    ],
    ['?format=core', 'task_status_changed', status],
    ['?format=envelope', 'task_status_changed', { type: 'TaskStatusChanged', data: status }],
  ])('writes events by "%s" as %s', async (query, name, data) => {
    await start();
    const client = await open(query);
    await service.record(workspaceEvent('task_status_changed', status, { occurredAt }));
    await client.has(name);
    expect(client.data(name)).toEqual([data]);
    expect(client.text.split('\n\n').at(-2)).toBe(
      `id: ${client.lastEventId}\nevent: ${name}\ndata: ${JSON.stringify(data)}`,
    );
  });

  it('names every documented event, and none of them error', async () => {
    await start();
    const clients = await Promise.all(['document', 'core', 'envelope'].map((format) => open(`?format=${format}`)));
    await service.record(...WORKSPACE_EVENT_TYPES.map((type) => workspaceEvent(type, everyId)));
    for (const [index, client] of clients.entries()) {
      const names = index === 0 ? WORKSPACE_EVENT_TYPES.map(workspaceDocumentName) : [...WORKSPACE_EVENT_TYPES];
      await client.receives(names.length);
      expect(eventNames(client)).toEqual(names);
      if (index === 0) expect(names).toEqual(expect.arrayContaining([...DOCUMENTED_WORKSPACE_EVENTS]));
      // What only our own loops need.
      expect(client.text).not.toContain('deadline_at');
    }
  });

  it('shows workspace events of the own workspace alone (G8)', async () => {
    await start();
    const client = await open('?lastEventId=earliest');
    await service.record(
      sandboxEvent(),
      registryEvent(),
      workspaceEvent('task_created', undefined, { workspaceId: 2 }),
      workspaceEvent('task_deleted', { task_id: 'mine' }),
    );
    await client.receives(1);
    expect(eventNames(client)).toEqual(['TaskDeleted']);
    expect((await open('?workspaceId=2')).status).toBe(401);
    const operator = await service.openAt(`${PATH}?workspaceId=2&lastEventId=earliest`, { key: OPERATOR_KEY });
    await operator.receives(1);
    expect(eventNames(operator)).toEqual(['TaskCreated']);
    expect((await service.openAt(PATH, { key: OPERATOR_KEY })).status).toBe(400);
  });

  it('resumes with no gap and no duplicate, and answers a cursor that it cannot honour by a reset (G2, G5)', async () => {
    await start();
    const record = (task_id: string) => service.record(workspaceEvent('task_deleted', { task_id }));
    const client = await open();
    await record('a');
    await client.receives(1);
    client.destroy();
    await record('b');
    const { lastEventId } = client;
    for (const next of [
      await open('', { lastEventId }),
      await open(`?lastEventId=${lastEventId}`),
      await open(`?cursor=${lastEventId}&format=core`),
    ]) {
      await next.receives(1);
      expect(next.data().map(({ task_id }) => task_id)).toEqual(['b']);
    }
    const { epoch } = decodeCursor(lastEventId);
    const lost = await open('', { lastEventId: `1-${epoch}-zzz` });
    await lost.has('reset');
    expect(lost.data('reset')).toEqual([{ reason: 'future_cursor', cursor: lost.lastEventId }]);
    await record('c');
    await lost.receives(1);
    expect(lost.data().map(({ task_id }) => task_id)).toEqual(['c']);
  });

  it.each(['format=xml', 'format=core&format=envelope', 'lastEventId=17', 'workspaceId=one'])(
    'refuses ?%s',
    async (query) => {
      await start();
      const client = await service.openAt(`${PATH}?${query}`, { key });
      expect(client.status).toBe(400);
      expect(await client.json()).toMatchObject({ success: false, where: expect.any(String) });
    },
  );

  it('lets parameters be that others add', async () => {
    await start();
    expect((await open('?_=1700000000')).status).toBe(200);
  });

  it('has a comment at least every 15 s, however seldom the others have one', async () => {
    await start({ heartbeatMs: 20 });
    const client = await open();
    await until(() => client.comments > 3, 'comments come');
    await service.record(sandboxEvent());
    await until(() => decodeCursor(client.lastEventId).position === 1, 'the cursor goes on');
  });

  it('asks for credentials, but not of who comes over loopback to a development engine', async () => {
    await start();
    const stranger = await service.openAt(PATH);
    expect(stranger.status).toBe(401);
    await service.stop();
    await start({}, { SLUICE_LOOPBACK_WORKSPACE: '1' });
    const client = await service.openAt(PATH);
    expect(client.status).toBe(200);
    await service.record(workspaceEvent());
    await client.receives(1);
    for (const refused of [
      await service.openAt(PATH, { key: `sk_${'x'.repeat(43)}` }),
      await service.openAt(PATH, { headers: { host: 'evil.example' } }),
      await service.openAt(PATH, { headers: { origin: 'https://evil.example' } }),
      await service.openAt(PATH, { headers: { 'x-forwarded-for': '127.0.0.1' } }),
      await service.openAt('/v1/stream'),
      await service.openAt('/api/v1/events'),
    ]) {
      expect(refused.status).toBe(401);
    }
  });

  it('runs the documented sample as it is on a development engine', async () => {
    await start({}, { SLUICE_LOOPBACK_WORKSPACE: '1' });
    const said: unknown[][] = [];
    const console = {
      log: (...words: unknown[]) => said.push(words),
      error: (...words: unknown[]) => said.push(words),
    };

    const eventSource = new EventSource(`${service.url}/api/events`);
    eventSource.addEventListener('TaskCreated', (event) => {
      const data = JSON.parse(event.data);
      console.log('Task created:', data.task_id);
    });
    eventSource.addEventListener('AgentSpawned', (event) => {
      const data = JSON.parse(event.data);
      console.log('Agent spawned:', data.agent_id);
    });
    eventSource.onerror = (error) => {
      console.error('SSE error:', error);
    };

    await until(() => eventSource.readyState === EventSource.OPEN, 'it is open');
    await service.record(
      workspaceEvent('task_created', { task_id: 'task-abc123', title: 'New task' }),
      workspaceEvent('agent_spawned', { agent_id: 'CLAUDE_CODE', session_id: 'xyz' }),
    );
    await until(() => said.length === 2, 'both are told');
    eventSource.close();
    expect(said).toEqual([
      ['Task created:', 'task-abc123'],
      ['Agent spawned:', 'CLAUDE_CODE'],
    ]);
  });
});

/** What projections look for in one type or another. */
const everyId = {
  ...Object.fromEntries(
    ['task', 'agent', 'session', 'group_chat', 'member', 'message', 'sender', 'job', 'run'].map((kind) => [
      `${kind}_id`,
      kind,
    ]),
  ),
  in_reply_to: 'message',
  member: { member_id: 'member' },
  job: { id: 'job' },
  deadline_at: 1,
};

const eventNames = (client: SseClient) =>
  client.outputs.flatMap((output) => (output.kind === 'event' ? [output.type] : []));
