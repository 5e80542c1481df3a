import Anthropic from '@anthropic-ai/sdk';
import { toEnvelope } from '../src/journal/session-envelopes';
import { message, startSessions, until, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;
let client: Anthropic;

beforeEach(async () => {
  app = await startSessions();
  client = new Anthropic({ baseURL: app.url, apiKey: await app.key(1) });
});

afterEach(() => app.stop());

/** Holds back what the replicas hear of the log; resolves what was held when it is called. */
async function holdDeliveries(): Promise<() => Promise<void>> {
  const log = await app.host.engine.deliveryLog();
  const publish = log.publish.bind(log);
  const held: Parameters<typeof publish>[0][] = [];
  log.publish = (batch) => {
    held.push(batch);
    return Promise.resolve();
  };
  return async () => {
    log.publish = publish;
    for (const batch of held) await publish(batch);
  };
}

it('begins after all that was recorded before it was opened, though its replica has not heard of it yet', async () => {
  const sessionId = await app.session();
  const release = await holdDeliveries();
  await app.send(sessionId, message('old'));
  await app.whenTypes(sessionId, (types) => types.at(-1) === 'session.status_idle');
  const stream = await client.beta.sessions.events.stream(sessionId);
  await release();
  await app.send(sessionId, message('new'));
  for await (const event of stream) {
    expect(event).toMatchObject(message('new'));
    break;
  }
});

it('ends for a session that is deleted between its look-up and its stream', async () => {
  const sessionId = await app.session();
  const model = await app.host.engine.readModel();
  const head = model.head.bind(model);
  model.head = async () => {
    const found = await head();
    model.head = head;
    await client.beta.sessions.delete(sessionId);
    return found;
  };
  // Either there is no such session any more, or its stream tells of the deletion and ends.
  const types: string[] = [];
  const streaming = client.beta.sessions.events.stream(sessionId, {}, { maxRetries: 0 }).then(async (stream) => {
    for await (const event of stream) types.push(event.type);
  });
  await streaming.catch((error: unknown) => expect(error).toBeInstanceOf(Anthropic.NotFoundError));
  expect(types.every((type) => type === 'session.deleted')).toBe(true);
});

it('goes on from the place that the head of an answer named, before there was an event', async () => {
  const sessionId = await app.session();
  const open = (options = {}) => client.beta.sessions.events.stream(sessionId, {}, options).withResponse();
  const { data: cut, response } = await open();
  cut.controller.abort();
  await app.send(sessionId, message('meanwhile'));
  const { data: stream } = await open({ headers: { 'last-event-id': response.headers.get('last-event-id') } });
  for await (const event of stream) {
    expect(event).toMatchObject(message('meanwhile'));
    break;
  }
  await expect(open({ headers: { 'last-event-id': 'sevt_unknown' } })).rejects.toThrow('no such event');
});

it('costs no read of a database, however many streams follow however many events', async () => {
  const sessionId = await app.session();
  const { engine } = app.host;
  const [model, deliveryLog, listed] = [
    await engine.readModel(),
    await engine.deliveryLog(),
    await engine.sessionEvents(),
  ];
  const seen: string[][] = [[], [], []];
  for (const ids of seen) {
    const stream = await client.beta.sessions.events.stream(sessionId);
    void (async () => {
      for await (const event of stream) if ('id' in event) ids.push(event.id);
    })();
  }
  const reads = [
    jest.spyOn(model, 'read'),
    ...(['list', 'find', 'byIds'] as const).map((name) => jest.spyOn(listed, name)),
  ];
  const told = Array.from({ length: 200 }, (_, n) => `sevt_told_${n}`);
  for (const id of told) {
    const body = { id, type: 'agent.message', processed_at: new Date(0).toISOString(), content: [] };
    const envelope = toEnvelope({ workspaceId: 1, sessionId, nowMs: Date.now() }, { body });
    const { epoch, recorded } = await model.record({ envelopes: [envelope], parked: [], checkpoints: new Map() });
    await deliveryLog.publish({ epoch, events: recorded });
  }
  await until(() => seen.every((ids) => ids.length === told.length), 'all streams have all events');
  expect(seen).toEqual([told, told, told]);
  for (const read of reads) expect(read).not.toHaveBeenCalled();
});
