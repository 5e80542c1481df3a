import { Anthropic, APIConnectionError } from '@anthropic-ai/sdk';
import { all, makeParts, MODEL, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';
import { OPERATOR_KEY } from './support/sessions-app';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

/** One of each thing, and every call that reads it or changes it. */
async function things() {
  const { beta } = service.client;
  const parts = await makeParts(service.client);
  const session = await beta.sessions.create(parts);
  const [thread] = await all(beta.sessions.threads.list(session.id));
  const file = await beta.files.upload({ file: new File(['x'], 'a.txt') });
  const resource = await beta.sessions.resources.add(session.id, { type: 'file', file_id: file.id });
  const vault = await beta.vaults.create({ display_name: 'v' });
  const credential = await beta.vaults.credentials.create(vault.id, {
    auth: { type: 'static_bearer', mcp_server_url: 'https://mcp.example.com/', token: 't' },
  });
  const of = {
    agent: `/v1/agents/${parts.agent}`,
    environment: `/v1/environments/${parts.environment_id}`,
    session: `/v1/sessions/${session.id}`,
    vault: `/v1/vaults/${vault.id}`,
    file: `/v1/files/${file.id}`,
  };
  const thread1 = `${of.session}/threads/${thread?.id}`;
  const credential1 = `${of.vault}/credentials/${credential.id}`;
  const resource1 = `${of.session}/resources/${resource.id}`;
  const reads = [
    ...Object.values(of),
    `${of.agent}?version=1`,
    `${of.agent}/versions`,
    `${of.session}/events`,
    `${of.session}/threads`,
    thread1,
    `${thread1}/events`,
    `${of.session}/resources`,
    resource1,
    `${of.file}/content`,
    `${of.vault}/credentials`,
    credential1,
  ];
  const message = { type: 'user.message', content: [{ type: 'text', text: 'x' }] };
  const changes: readonly (readonly [string, string, object?])[] = [
    ['POST', of.agent, { name: 'x' }],
    ['POST', `${of.agent}/archive`],
    ['POST', of.environment, { name: 'x' }],
    ['POST', `${of.environment}/archive`],
    ['DELETE', of.environment],
    ['POST', of.session, { title: 'x' }],
    ['POST', `${of.session}/events`, { events: [message] }],
    ['POST', `${of.session}/resources`, { type: 'file', file_id: file.id }],
    ['DELETE', resource1],
    ['POST', `${thread1}/archive`],
    ['POST', `${of.session}/archive`],
    ['DELETE', of.session],
    ['POST', of.vault, { display_name: 'x' }],
    [
      'POST',
      `${of.vault}/credentials`,
      { auth: { type: 'static_bearer', mcp_server_url: 'https://a.example/', token: 't' } },
    ],
    ['POST', credential1, { display_name: 'x' }],
    ['POST', `${credential1}/archive`],
    ['DELETE', credential1],
    ['POST', `${of.vault}/archive`],
    ['DELETE', of.vault],
    ['DELETE', of.file],
  ];
  return { reads, changes, ids: [parts.agent, parts.environment_id, session.id, file.id, vault.id] };
}

const LISTS = ['/v1/agents', '/v1/environments', '/v1/sessions', '/v1/vaults', '/v1/files'];

it('G8 answers what is of another workspace as what is not there, and lists none of it', async () => {
  const { reads, changes, ids } = await things();
  const headers = { 'x-api-key': await service.key(2) };
  const calls = [...reads.map((path) => ['GET', path] as const), ...changes];
  for (const [method, path, body] of calls) {
    const foreign = await service.request(method, path, body, headers);
    expect({ method, path, status: foreign.status }).toEqual({ method, path, status: 404 });
    expect(foreign.body.error.type).toBe('not_found_error');
    const absent = await service.request(
      method,
      path.replaceAll(/_[0-9a-f]{32}/g, `_${'0'.repeat(32)}`),
      body,
      headers,
    );
    expect(foreign.body.error).toEqual(absent.body.error);
  }
  for (const list of LISTS) {
    const { text } = await service.request('GET', `${list}?include_archived=true`, undefined, headers);
    for (const id of ids) expect(text).not.toContain(id);
  }
  const [agent, environment, , file, vault] = ids;
  const parts = await makeParts(service.clientOf(headers['x-api-key']));
  for (const body of [
    { ...parts, agent },
    { ...parts, environment_id: environment },
    { ...parts, vault_ids: [vault] },
    { ...parts, resources: [{ type: 'file', file_id: file }] },
  ]) {
    expect((await service.request('POST', '/v1/sessions', body, headers)).status).toBe(404);
  }
  for (const path of reads) expect((await service.request('GET', path)).status).toBe(200);
});

it('lets readers read and nothing else', async () => {
  const { reads, changes } = await things();
  const headers = { 'x-api-key': await service.key(1, 'reader') };
  for (const path of [...reads, ...LISTS]) {
    expect((await service.request('GET', path, undefined, headers)).status).toBe(200);
  }
  const form = new FormData();
  form.append('file', new File(['x'], 'a.txt'));
  const creations = LISTS.map((path) => ['POST', path, path === '/v1/files' ? form : {}] as const);
  for (const [method, path, body] of [...changes, ...creations]) {
    const { status, body: answer } = await service.request(method, path, body, headers);
    expect({ method, path, status, type: answer.error.type }).toEqual({
      method,
      path,
      status: 403,
      type: 'permission_error',
    });
  }
});

it('takes the key as either header, and refuses a wrong one and none', async () => {
  const path = '/v1/agents';
  const { apiKey } = service;
  expect((await service.request('GET', path, undefined, { authorization: `Bearer ${apiKey}` })).status).toBe(200);
  expect((await service.request('GET', path, undefined, { 'x-api-key': apiKey })).status).toBe(200);
  const wrong = await refusalOf(service.clientOf(`sk_${'x'.repeat(43)}`).beta.agents.list());
  expect(wrong).toMatchObject({ status: 401, type: 'authentication_error' });
  const none = await fetch(`${service.url}${path}`);
  expect(none.status).toBe(401);
  expect(await none.json()).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
});

it('asks operators for the workspace, and serves them there', async () => {
  const headers = { 'x-api-key': OPERATOR_KEY };
  const { agent } = await makeParts(service.client);
  const without = await service.request('GET', `/v1/agents/${agent}`, undefined, headers);
  expect({ status: without.status, message: without.body.error.message }).toEqual({
    status: 400,
    message: expect.stringContaining('query.workspaceId'),
  });
  expect((await service.request('GET', `/v1/agents/${agent}?workspaceId=1`, undefined, headers)).status).toBe(200);
  expect((await service.request('GET', `/v1/agents/${agent}?workspaceId=2`, undefined, headers)).status).toBe(404);
});

it('names each request in the header and the body of its answer', async () => {
  const good = await service.request('GET', '/v1/agents');
  expect(good.headers.get('request-id')).toEqual(expect.any(String));
  const bad = await service.request('GET', '/v1/agents/agent_none');
  expect(bad.body).toEqual({
    type: 'error',
    error: { type: 'not_found_error', message: expect.any(String), details: { error_code: 'not_found' } },
    request_id: bad.headers.get('request-id'),
  });
  expect(await refusalOf(service.client.beta.agents.retrieve('agent_none'))).toMatchObject({
    requestID: expect.any(String),
    errorCode: 'not_found',
  });
});

it('takes a base URL that ends in a slash, and query keys with brackets as they are and encoded', async () => {
  const { apiKey, url } = service;
  const slashed = new Anthropic({ baseURL: `${url}/`, apiKey, maxRetries: 0 });
  const { id } = await slashed.beta.agents.create({ name: 'slash', model: MODEL });
  expect(await slashed.beta.agents.retrieve(id)).toMatchObject({ id });
  const session = await service.client.beta.sessions.create(await makeParts(service.client));
  const events = `/v1/sessions/${session.id}/events`;
  for (const query of [
    'types[]=user.message',
    'types%5B%5D=user.message',
    'types[]=user.message&types[]=agent.message',
  ]) {
    expect((await service.request('GET', `${events}?${query}`)).status).toBe(200);
  }
  const unknown = await service.request('GET', `${events}?types[]=nothing`);
  expect(unknown.body.error).toMatchObject({ type: 'invalid_request_error' });
});

it.each<[string, string]>([
  ['a limit of 0', 'limit=0'],
  ['a limit that is no number', 'limit=many'],
  ['an order that is none', 'order=up'],
  ['a page that is none', 'page=page_xyz'],
  ['a page of something else', `page=page_${Buffer.from('["other","d",1,"x"]').toString('base64url')}`],
  ['a time that is none', 'created_at[gte]=yesterday'],
  ['a status that is none', 'statuses[]=asleep'],
])('refuses a list with %s', async (_, query) => {
  const { status, body } = await service.request('GET', `/v1/sessions?${query}`);
  expect({ status, type: body.error.type }).toEqual({ status: 400, type: 'invalid_request_error' });
});

it('ignores query keys that it does not know, and cuts pages at its own limit', async () => {
  const { status } = await service.request('GET', '/v1/sessions?beta=true&limit=100000&whatever=1');
  expect(status).toBe(200);
});

it.each<[string, string, string | undefined, Record<string, string>]>([
  ['no body', '/v1/agents', undefined, {}],
  ['an empty body', '/v1/agents', '', { 'content-type': 'application/json' }],
  ['malformed JSON', '/v1/agents', '{', { 'content-type': 'application/json' }],
  ['text', '/v1/agents', 'name=x', { 'content-type': 'text/plain' }],
  ['a form', '/v1/agents', '--b--', { 'content-type': 'multipart/form-data; boundary=b' }],
  ['a list', '/v1/agents', '[]', { 'content-type': 'application/json' }],
  ['a key for a prototype', '/v1/agents', '{"__proto__":{}}', { 'content-type': 'application/json' }],
])('refuses %s in the form of the SDK', async (_, path, body, headers) => {
  const answer = await service.request('POST', path, body, headers);
  expect({ status: answer.status, type: answer.body?.error?.type }).toEqual({
    status: 400,
    type: 'invalid_request_error',
  });
  expect(answer.headers.get('x-should-retry')).toBe('false');
});

it('refuses a body that is too large, in the form of the SDK', async () => {
  const { agent, environment_id } = await makeParts(service.client);
  const refused = await refusalOf(
    service.client.beta.sessions.create({ agent, environment_id, title: 'x'.repeat(33 * 1_048_576) }),
  );
  expect(refused).not.toBeInstanceOf(APIConnectionError);
  expect(refused).toMatchObject({ status: 413, type: 'request_too_large' });
});

it('is not called twice by the SDK where a second call would be refused as well', async () => {
  const { url, apiKey } = service;
  let calls = 0;
  const client = new Anthropic({
    baseURL: url,
    apiKey,
    fetch: (input, init) => {
      calls++;
      return fetch(input, init);
    },
  });
  const agent = await client.beta.agents.create({ name: 'once', model: MODEL });
  calls = 0;
  expect(await refusalOf(client.beta.agents.update(agent.id, { version: 9, name: 'x' }))).toMatchObject({
    status: 409,
  });
  expect(calls).toBe(1);
});
