import { message, startSessions, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;
beforeAll(async () => {
  app = await startSessions({ SLUICE_KEY_REQUESTS_PER_SECOND: '20' });
});
afterAll(() => app.stop());

/** As a writer of workspace 1 of its own, whose rate nobody else uses. */
async function caller() {
  const key = await app.key(1);
  return (method: string, path: string, json?: unknown) => app.call(method, path, json, { key });
}

it.each<[string, () => Promise<[string, string]>]>([
  [
    'an agent',
    async () => ['/v1/agents', '{"name":"a","model":"m","tools":[{"type":"custom","input_schema":{"x":DEEP}}]}'],
  ],
  ['an event', async () => [`/v1/sessions/${await app.session()}/events`, '{"events":[DEEP]}']],
])('refuses %s that is nested too deeply', async (_, of) => {
  const [path, body] = await of();
  const levels = 6_000;
  const response = await fetch(`${app.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': await app.key(1) },
    body: body.replace('DEEP', '['.repeat(levels) + ']'.repeat(levels)),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
});

it('counts each event that is sent, as it counts requests', async () => {
  const call = await caller();
  const session = await app.session();
  const events = Array.from({ length: 100 }, () => message('x'));
  expect((await call('POST', `/v1/sessions/${session}/events`, { events })).status).toBe(200);
  const { status, body } = await call('GET', `/v1/sessions/${session}`);
  expect([status, body.error.type]).toEqual([429, 'rate_limit_error']);
});

it('counts each event that a session begins with', async () => {
  const session = await app.session();
  const { agent, environment_id } = (await app.call('GET', `/v1/sessions/${session}`)).body;
  const call = await caller();
  const initial_events = Array.from({ length: 50 }, () => message('x'));
  expect((await call('POST', '/v1/sessions', { agent: agent.id, environment_id, initial_events })).status).toBe(200);
  expect((await call('GET', `/v1/sessions/${session}`)).status).toBe(429);
});

it.each<[string, string]>([
  ['../../etc/passwd', 'passwd'],
  ['C:\\reports\\q1.pdf', 'q1.pdf'],
  ['a\r\nb', 'document'],
  ['..', 'document'],
])('names the file of a document with the title %j as %s', async (title, filename) => {
  const session = await app.session();
  const source = { type: 'base64', media_type: 'application/pdf', data: Buffer.alloc(60_000).toString('base64') };
  const sent = await app.send(session, { type: 'user.message', content: [{ type: 'document', title, source }] });
  expect(sent.status).toBe(200);
  const { body } = await app.call('GET', `/v1/files?scope_id=${session}`);
  expect(body.data).toMatchObject([{ filename }]);
});
