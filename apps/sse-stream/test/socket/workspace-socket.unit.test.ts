import { decodeCursor } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { SseClient } from '../sse-client';
import { agentSpawned, range, sandboxEvent, startSockets, taskCreated, type SocketService } from './socket-service';

describe('GET /ws', () => {
  let service: SocketService;
  beforeEach(async () => {
    service = await startSockets();
  });
  afterEach(() => service.stop());

  it('sends every workspace event in the document form, with a cursor', async () => {
    const client = await service.connect('/ws');
    await service.record(taskCreated('t1'), agentSpawned('s1'));
    await client.receives('Event', 2);
    const [task, agent] = client.of('Event');
    expect(task).toEqual({
      type: 'Event',
      data: {
        channel: 'tasks',
        payload: {
          type: 'TaskCreated',
          data: {
            task_id: 't1',
            title: 'Task t1',
            description: '',
            status: 'pending',
            agent_id: null,
            timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
          },
        },
        cursor: expect.any(String),
      },
    });
    expect(agent.data).toMatchObject({ channel: 'agents', payload: { type: 'AgentSpawned' } });
    // Ours alone.
    expect(agent.data.payload.data).not.toHaveProperty('deadline_at');
    expect(decodeCursor(agent.data.cursor).position).toBe(2);
  });

  it('says nothing by itself to a client that speaks of no cursor', async () => {
    const client = await service.connect('/ws');
    client.sayText('ping');
    await client.receives('Pong');
    expect(client.messages).toEqual([{ type: 'Pong' }]);
  });

  it('answers pings: the bare text of the public user interface, and messages', async () => {
    const client = await service.connect('/ws');
    client.sayText('ping');
    client.say({ type: 'Ping' });
    client.say({ type: 'Ping', data: {} });
    await client.receives('Pong', 3);
    expect(client.messages).toEqual(Array(3).fill({ type: 'Pong' }));
  });

  it('filters by channels while any are held', async () => {
    const client = await service.connect('/ws');
    client.say({ type: 'Subscribe', data: { channels: ['tasks', 'cron'] } });
    client.say({ type: 'Subscribe', data: { channels: ['tasks', 'gateway'] } });
    expect(await client.receives('Subscribed', 2)).toEqual({
      type: 'Subscribed',
      data: { channels: ['tasks', 'cron', 'gateway'] },
    });
    await service.record(agentSpawned('s1'), taskCreated('t1'));
    await client.receives('Event');
    client.say({ type: 'Unsubscribe', data: { channels: ['tasks', 'agents'] } });
    expect(await client.receives('Unsubscribed')).toEqual({
      type: 'Unsubscribed',
      data: { channels: ['cron', 'gateway'] },
    });
    await service.record(taskCreated('t2'));
    // Its turn to be sent is over when this is answered.
    client.sayText('ping');
    await client.receives('Pong');
    client.say({ type: 'Unsubscribe', data: { channels: ['cron', 'gateway'] } });
    expect((await client.receives('Unsubscribed', 2)).data).toEqual({ channels: [] });
    await service.record(agentSpawned('s3'));
    await client.receives('Event', 2);
    const names = client.of('Event').map(({ data }) => [data.channel, decodeCursor(data.cursor).position]);
    expect(names).toEqual([
      ['tasks', 2],
      ['agents', 4],
    ]);
  });

  it('shows the workspace of the caller alone, and no other family (G8)', async () => {
    const client = await service.connect('/ws?cursor=earliest');
    await service.record(taskCreated('foreign', 2), sandboxEvent(), taskCreated('own'));
    await client.receives('Event');
    expect(client.of('Event').map(({ data }) => data.payload.data.task_id)).toEqual(['own']);
    expect(await service.refusal('/ws?workspaceId=2', { key: await service.key() })).toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
  });

  it('sends the same events in the same order as /api/events', async () => {
    const key = await service.key();
    await service.record(...range(1, 20).map((n) => (n % 3 === 0 ? agentSpawned(`s${n}`) : taskCreated(`t${n}`))));
    const client = await service.connect('/ws?cursor=earliest', { key });
    const sse = await SseClient.open(service.url, '/api/events?cursor=earliest', { key });
    await service.record(...range(21, 40).map((n) => (n % 3 === 0 ? agentSpawned(`s${n}`) : taskCreated(`t${n}`))));
    const isWorkspaceEvent = (output: SseClient['outputs'][number]) =>
      output.kind === 'event' && ['TaskCreated', 'AgentSpawned'].includes(output.type);
    await client.receives('Event', 40);
    await until(() => sse.outputs.filter(isWorkspaceEvent).length === 40, 'all came by SSE');
    const bySse = sse.outputs.filter(isWorkspaceEvent).map((output) => {
      if (output.kind !== 'event') throw new Error('filtered');
      const { type: _type, ...data } = JSON.parse(output.data);
      return { type: output.type, data, cursor: output.lastEventId };
    });
    const bySocket = client.of('Event').map(({ data }) => ({ ...data.payload, cursor: data.cursor }));
    expect(bySocket).toEqual(bySse);
    sse.destroy();
  });

  it('sends the same bytes to every subscriber', async () => {
    const clients = await Promise.all(range(1, 3).map(() => service.connect('/ws')));
    await service.record(taskCreated('t1'), taskCreated('t2', 1, { title: 'ключ\n\u2028 "x"' }));
    for (const client of clients) await client.receives('Event', 2);
    const [first, ...others] = clients.map(({ texts }) => texts);
    expect(others).toEqual([first, first]);
    expect(clients[0]?.messages[1].data.payload.data.title).toBe('ключ\n\u2028 "x"');
  });

  it.each(['cursor', 'lastEventId'])('resumes after ?%s=, without a gap or a duplicate (G5)', async (name) => {
    await service.record(...range(1, 5).map((n) => taskCreated(`t${n}`)));
    const first = await service.connect('/ws?cursor=earliest');
    const { data } = await first.receives('Event', 2);
    first.destroy();
    const second = await service.connect(`/ws?${name}=${data.cursor}`);
    await service.record(taskCreated('t6'));
    await second.receives('Event', 4);
    expect(second.messages[0]).toEqual({ type: 'Connected', data: { cursor: data.cursor } });
    const ids = second.of('Event').map((message) => message.data.payload.data.task_id);
    expect(ids).toEqual(['t3', 't4', 't5', 't6']);
  });

  it('gives a client that names a cursor one before its first event', async () => {
    const first = await service.connect('/ws?cursor=latest');
    const { data } = await first.receives('Connected');
    first.destroy();
    await service.record(taskCreated('t1'));
    const second = await service.connect(`/ws?cursor=${data.cursor}`);
    expect((await second.receives('Event')).data.payload.data.task_id).toBe('t1');
  });

  it('says so when a cursor cannot be honoured (G5)', async () => {
    await service.record(taskCreated('t1'));
    const client = await service.connect('/ws?cursor=1-00000000-5');
    const { data } = await client.receives('Reset');
    expect(data.reason).toBe('epoch_changed');
    expect(decodeCursor(data.cursor).position).toBe(1);
    await service.record(taskCreated('t2'));
    expect((await client.receives('Event')).data.payload.data.task_id).toBe('t2');
  });

  it.each([
    ['no JSON', 'nonsense', 'invalid_json', undefined],
    ['an unknown type', '{"type":"Register","data":{}}', 'invalid_request', 'type'],
    ['an unknown channel', '{"type":"Subscribe","data":{"channels":["all"]}}', 'invalid_request', 'data.channels.0'],
    ['an unknown member', '{"type":"Subscribe","data":{"channels":[],"x":1}}', 'invalid_request', 'data.x'],
    ['a list', '[]', 'invalid_request', undefined],
  ])('answers %s with an Error and goes on', async (_name, text, code, where) => {
    const client = await service.connect('/ws');
    client.sayText(text);
    const { data } = await client.receives('Error');
    expect(data).toEqual({ code, message: expect.any(String), ...(where && { where }) });
    await service.record(taskCreated('t1'));
    await client.receives('Event');
  });
});
