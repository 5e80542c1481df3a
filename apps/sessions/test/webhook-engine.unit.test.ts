import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { signWebhook } from '@sluice/signed-webhooks';
import { END, message as said, sendReport, SessionEngine, type EngineCall } from './support/session-engine';
import { message, startSessions, until, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;
let engine: SessionEngine;
let engineId: string;

beforeAll(async () => {
  engine = await SessionEngine.start();
  app = await startSessions({ SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin });
  const { body } = await app.call('POST', '/runtime/v1/engines', { name: 'test', url: engine.url });
  engine.secrets.push(body.secret);
  engineId = body.id;
});
afterAll(async () => {
  await app.stop();
  await engine.stop();
  expect(engine.faults).toEqual([]);
});

const typesOf = (events: readonly { type: string }[]) => events.map(({ type }) => type);
const callOf = (sessionId: string, type = 'run.start') =>
  until(() => engine.calls.find((call) => call.session_id === sessionId && call.type === type));

/** A session whose engine was told, and is silent. */
async function silentRun(): Promise<{ session: string; call: EngineCall }> {
  const session = await app.session(engineId);
  await app.send(session, message('silent'));
  return { session, call: await callOf(session) };
}

describe('an engine that is reached by HTTP', () => {
  it('has a secret that is kept sealed, and that no door shows again', async () => {
    const [secret] = engine.secrets;
    const document = await (await app.host.engine.sessionDocuments()).find(1, 'engine', engineId);
    expect(secret).toMatch(/^whsec_/);
    expect(document?.fields['name']).toBe('test');
    for (const part of ['whsec_', secret?.slice('whsec_'.length)]) expect(JSON.stringify(document)).not.toContain(part);
    const shown = [
      await app.call('GET', `/runtime/v1/engines/${engineId}`),
      await app.call('GET', '/runtime/v1/engines'),
    ];
    expect(JSON.stringify(shown)).not.toContain('secret');
  });

  it('is told of a run, signed as the SDK checks it, and its report is listed', async () => {
    const session = await app.session(engineId);
    await app.send(session, message('Hello'));
    const events = await app.whenTypes(session, (types) => types.includes('session.status_idle'));
    expect(typesOf(events)).toEqual(['user.message', 'session.status_running', 'agent.message', 'session.status_idle']);
    const call = await callOf(session);
    expect(call).toMatchObject({
      type: 'run.start',
      session_id: session,
      run_id: expect.stringMatching(/^srun_/),
      input_events: [{ id: events[0].id, type: 'user.message' }],
      agent: { metadata: { engine: engineId }, model: { id: 'a-model' } },
      session: { id: session, status: 'running' },
      callback: { secret: expect.stringMatching(/^whsec_/) },
    });
    expect(call.callback.url).toBe(`${app.url}/runtime/v1/sessions/${session}/runs/${call.run_id}/events`);
  });

  it('has custom tools run by the user, all answers of which it is told', async () => {
    const session = await app.session(engineId);
    await app.send(session, message('tools 2'));
    const events = await app.whenTypes(session, (types) => types.includes('session.status_idle'));
    const uses = events.filter(({ type }) => type === 'agent.custom_tool_use');
    for (const { id, input } of uses) {
      const content = [{ type: 'text', text: String(input.value * 2) }];
      const { status } = await app.send(session, { type: 'user.custom_tool_result', custom_tool_use_id: id, content });
      expect(status).toBe(200);
    }
    const all = await app.whenTypes(session, (types) => types.includes('agent.message'));
    expect(all.find(({ type }) => type === 'agent.message').content[0].text).toBe('0,2');
    const told = engine.calls.filter((call) => call.session_id === session);
    expect(told.map(({ type, input_events: inputs }) => [type, inputs.length])).toEqual([
      ['run.start', 1],
      ['run.input', 1],
      ['run.input', 1],
    ]);
    expect(new Set(told.map(({ run_id: id }) => id)).size).toBe(1);
  });

  it('reports a retry, and the same run goes on', async () => {
    const session = await app.session(engineId);
    await app.send(session, message('retry'));
    const events = await app.whenTypes(session, (types) => types.includes('session.status_idle'));
    expect(typesOf(events).slice(2)).toEqual([
      'session.error',
      'session.status_rescheduled',
      'session.status_running',
      'agent.message',
      'session.status_idle',
    ]);
  });

  it('hears of an interrupt and of a deletion', async () => {
    const { session, call } = await silentRun();
    await app.send(session, { type: 'user.interrupt' });
    expect(await callOf(session, 'run.interrupt')).toMatchObject({ run_id: call.run_id });
    expect((await app.call('DELETE', `/v1/sessions/${session}`)).status).toBe(200);
    expect(await callOf(session, 'session.deleted')).toMatchObject({ session_id: session, run_id: null });
  });
});

describe('the door for reports', () => {
  const report = (call: EngineCall) => ({ run_id: call.run_id, events: [said('one'), said('two')] });

  it('takes a delivery once, also when it comes several times at once and after the run', async () => {
    const { session, call } = await silentRun();
    const body = { ...report(call), usage_delta: { input_tokens: 3, output_tokens: 4 } };
    const answers = await Promise.all([1, 2, 3, 4].map(() => sendReport(call, body, { id: 'msg_same' })));
    expect(answers).toEqual(Array(4).fill({ status: 200, body: { accepted: 2 } }));
    const stored = (await app.events(session)).filter(({ type }) => type === 'agent.message');
    expect(stored).toHaveLength(2);
    expect((await app.call('GET', `/v1/sessions/${session}`)).body.usage).toMatchObject({ input_tokens: 3 });

    expect(await sendReport(call, { run_id: call.run_id, events: [END] }, { id: 'msg_end' })).toMatchObject({
      status: 200,
    });
    expect(await sendReport(call, body, { id: 'msg_same' })).toEqual({ status: 200, body: { accepted: 2 } });
    expect(await sendReport(call, report(call), { id: 'msg_new' })).toMatchObject({ status: 409 });
    expect((await app.events(session)).filter(({ type }) => type === 'agent.message')).toHaveLength(2);
  });

  it('answers 409 for a run that was interrupted, and for a session that was deleted', async () => {
    const { session, call } = await silentRun();
    await app.send(session, { type: 'user.interrupt' });
    expect(await sendReport(call, report(call))).toMatchObject({
      status: 409,
      body: { type: 'error', error: { type: 'invalid_request_error' } },
    });
    await app.call('DELETE', `/v1/sessions/${session}`);
    expect(await sendReport(call, report(call))).toMatchObject({ status: 409 });
  });

  it('says nothing to who has not the secret: what is not there looks like what is', async () => {
    const { session, call } = await silentRun();
    const other = (await silentRun()).call;
    const at = (path: string) => ({ callback: { ...call.callback, url: `${app.url}/runtime/v1/${path}` } });
    const answers = [
      await sendReport(call, report(call), { secret: other.callback.secret }),
      await sendReport(call, report(call), { at: new Date(Date.now() - 301_000) }),
      await sendReport(call, report(call), { at: new Date(Date.now() + 302_000) }),
      await sendReport(at(`sessions/${session}/runs/srun_0/events`), report(call)),
      await sendReport(at(`sessions/sesn_0/runs/${call.run_id}/events`), report(call)),
      await sendReport(call, { nonsense: true }, { secret: other.callback.secret }),
    ];
    const shapes = answers.map(({ status, body: { request_id: _, ...body } }) => ({ status, body }));
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(1);
    expect(shapes[0]).toMatchObject({ status: 401, body: { error: { type: 'authentication_error' } } });
    const unsigned = await app.call('POST', new URL(call.callback.url).pathname, report(call));
    expect(unsigned.status).toBe(401);
    expect(unsigned.headers['request-id']).toEqual(expect.any(String));
    expect(typesOf(await app.events(session))).toEqual(['user.message', 'session.status_running']);
  });

  it('answers 400 for what is no report of this run, and stores nothing of it', async () => {
    const { session, call } = await silentRun();
    const other = (await silentRun()).call;
    const good = said('good');
    const bodies: object[] = [
      { events: [good] },
      { run_id: other.run_id, events: [good] },
      { run_id: call.run_id, events: [] },
      { run_id: call.run_id, events: [good], more: 1 },
      ...[
        { type: 'user.message', content: [{ type: 'text', text: 'forged' }] },
        { type: 'system.message', content: [{ type: 'text', text: 'forged' }] },
        { type: 'session.deleted' },
        { type: 'session.updated' },
        { type: 'session.status_idle' },
        { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: ['sevt_unknown'] } },
        { type: 'unknown' },
      ].map((event) => ({ run_id: call.run_id, events: [good, event] })),
    ];
    for (const body of bodies) {
      const answer = await sendReport(call, body);
      expect([body, answer.status, answer.body['type']]).toEqual([body, 400, 'error']);
    }
    expect(typesOf(await app.events(session))).toEqual(['user.message', 'session.status_running']);
    const { status } = await sendReport(call, { run_id: call.run_id, events: [good, END] });
    expect(status).toBe(200);
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data', ''])(
    'refuses a body as %j, whatever is in it',
    async (type) => {
      const { session, call } = await silentRun();
      const body = JSON.stringify(report(call));
      const signed = signWebhook({ secret: call.callback.secret, id: 'msg_typed', timestampMs: Date.now(), body });
      const headers = { ...signed, 'content-type': type };
      const answer = await fetch(call.callback.url, { method: 'POST', headers, body: Buffer.from(body) });
      expect({ status: answer.status, body: await answer.json() }).toMatchObject({
        status: 400,
        body: { type: 'error' },
      });
      expect(typesOf(await app.events(session))).toEqual(['user.message', 'session.status_running']);
    },
  );

  it('keeps ids and unknown fields, and refuses an id that the session has', async () => {
    const { session, call } = await silentRun();
    const event = { ...said('one'), id: 'mine', extra: { deep: [1] } };
    expect((await sendReport(call, { run_id: call.run_id, events: [event] })).status).toBe(200);
    expect((await app.events(session)).at(-1)).toMatchObject({ id: 'mine', extra: { deep: [1] } });
    expect((await sendReport(call, { run_id: call.run_id, events: [event] })).status).toBe(400);
  });
});

describe('an engine that cannot be told', () => {
  let server: Server;
  let statuses: number[];
  let deliveries: (string | undefined)[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      deliveries.push(request.headers['webhook-id'] as string);
      request.resume();
      const status = statuses.shift() ?? 204;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  /** The events after the run began, and the ids of the deliveries. */
  async function told(...answers: number[]) {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/engine`;
    const other = await startSessions({ SLUICE_ALLOW_PRIVATE_URLS: new URL(url).origin });
    try {
      statuses = [...answers];
      deliveries = [];
      const { body } = await other.call('POST', '/runtime/v1/engines', { name: 'test', url });
      const session = await other.session(body.id);
      await other.send(session, message('Hello'));
      await until(() => statuses.length === 0 || undefined, 'the last answer');
      const run = (await other.call('GET', `/v1/sessions/${session}`)).body.status === 'running';
      if (answers.at(-1) === 204) return { types: typesOf(await other.events(session)), deliveries, run };
      const events = await other.whenTypes(session, (types) => types.includes('session.status_idle'));
      expect(events.at(-1).stop_reason).toEqual({ type: 'retries_exhausted' });
      return { types: typesOf(events), deliveries, run: false, error: events.at(-2).error };
    } finally {
      await other.stop();
    }
  }

  it('is tried again with the same id after a fault', async () => {
    const { deliveries: ids, run } = await told(500, 429, 204);
    expect([ids.length, new Set(ids).size, run]).toEqual([3, 1, true]);
  });

  it.each([400, 401, 410, 302])('is given up at once when it answers %i', async (status) => {
    const { deliveries: ids, error } = await told(status);
    expect(ids).toHaveLength(1);
    expect(error).toMatchObject({ type: 'unknown_error', retry_status: { type: 'exhausted' } });
    expect(error.message).toMatch(status === 302 ? /redirects/ : new RegExp(`status ${status}`));
  });

  it('is not reached inside our network unless a setting says so', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/engine`;
    deliveries = [];
    const { body } = await app.call('POST', '/runtime/v1/engines', { name: 'private', url });
    const session = await app.session(body.id);
    await app.send(session, message('Hello'));
    const events = await app.whenTypes(session, (types) => types.includes('session.status_idle'));
    expect(events.at(-2).error.message).toMatch(/could not be told/);
    expect(deliveries).toEqual([]);
  });
});
