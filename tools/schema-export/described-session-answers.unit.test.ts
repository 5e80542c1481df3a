import { DescribedCalls } from './described-calls';

const APPS = ['sessions', 'webhooks'];

/** Their messages are held against schemas by the tests of the app. */
const isStream = (path: string) => path.endsWith('/stream');

let calls: DescribedCalls;
const call: DescribedCalls['call'] = (...parameters) => calls.call(...parameters);

beforeAll(async () => {
  calls = await DescribedCalls.start();
});
afterAll(() => calls.stop());

describe('what is answered is what the document says', () => {
  it('for agents and environments', async () => {
    const { id: agentId } = await call('POST', '/v1/agents', 200, { body: { name: 'An agent', model: 'a-model' } });
    await call('POST', '/v1/agents', 400, { body: {} });
    await call('GET', '/v1/agents', 200);
    await call('GET', '/v1/agents', 400, { query: '?limit=none' });
    await call('GET', '/v1/agents/{agentId}', 200, { params: { agentId } });
    await call('GET', '/v1/agents/{agentId}', 404);
    await call('GET', '/v1/agents', 401, { key: 'sk_none' });
    await call('POST', '/v1/agents/{agentId}', 200, { params: { agentId }, body: { version: 1, name: 'Another' } });
    await call('POST', '/v1/agents/{agentId}', 409, { params: { agentId }, body: { version: 1, name: 'Third' } });
    await call('GET', '/v1/agents/{agentId}/versions', 200, { params: { agentId } });
    await call('POST', '/v1/agents/{agentId}/archive', 200, { params: { agentId } });
    const { id: environmentId } = await call('POST', '/v1/environments', 200, { body: { name: 'Here' } });
    const params = { environmentId };
    await call('GET', '/v1/environments', 200);
    await call('GET', '/v1/environments/{environmentId}', 200, { params });
    await call('GET', '/v1/environments/{environmentId}', 404);
    await call('POST', '/v1/environments/{environmentId}', 200, { params, body: { description: 'Where we are' } });
    await call('POST', '/v1/environments/{environmentId}/archive', 200, { params });
    await call('DELETE', '/v1/environments/{environmentId}', 200, { params });
  });

  it('for files', async () => {
    const form = new FormData();
    form.append('file', new Blob(['what is in it'], { type: 'text/plain' }), 'note.txt');
    const { id: fileId } = await call('POST', '/v1/files', 200, { body: form });
    await call('POST', '/v1/files', 400, { body: new FormData() });
    await call('GET', '/v1/files', 200);
    await call('GET', '/v1/files/{fileId}', 200, { params: { fileId } });
    await call('GET', '/v1/files/{fileId}', 404);
    expect(await call('GET', '/v1/files/{fileId}/content', 200, { params: { fileId } })).toBe('what is in it');
    await call('DELETE', '/v1/files/{fileId}', 200, { params: { fileId } });
  });

  it('for vaults', async () => {
    const { id: vaultId } = await call('POST', '/v1/vaults', 200, { body: { display_name: 'Keys' } });
    await call('GET', '/v1/vaults', 200);
    await call('GET', '/v1/vaults/{vaultId}', 200, { params: { vaultId } });
    await call('POST', '/v1/vaults/{vaultId}', 200, { params: { vaultId }, body: { display_name: 'Other keys' } });
    const body = {
      display_name: 'A server',
      auth: { type: 'static_bearer', token: 'no-secret', mcp_server_url: 'https://mcp.example/' },
    };
    const credentials = '/v1/vaults/{vaultId}/credentials';
    const { id: credentialId } = await call('POST', credentials, 200, { params: { vaultId }, body });
    const params = { vaultId, credentialId };
    const credential = `${credentials}/{credentialId}`;
    await call('POST', credentials, 409, { params, body });
    await call('GET', credentials, 200, { params });
    await call('GET', credential, 200, { params });
    await call('POST', credential, 200, { params, body: { display_name: 'The server' } });
    await call('POST', `${credential}/archive`, 200, { params });
    await call('DELETE', credential, 200, { params });
    await call('POST', '/v1/vaults/{vaultId}/archive', 200, { params });
    await call('DELETE', '/v1/vaults/{vaultId}', 200, { params });
  });

  it('for sessions, their events, threads and resources', async () => {
    const { id: agent } = await call('POST', '/v1/agents', 200, { body: { name: 'An agent', model: 'a-model' } });
    const { id: environment } = await call('POST', '/v1/environments', 200, { body: { name: 'There' } });
    const body = { agent, environment_id: environment };
    const { id: sessionId } = await call('POST', '/v1/sessions', 200, { body });
    const params = { sessionId };
    await call('POST', '/v1/sessions', 404, { body: { ...body, agent: 'agent_none' } });
    await call('GET', '/v1/sessions', 200);
    await call('GET', '/v1/sessions/{sessionId}', 200, { params });
    await call('GET', '/v1/sessions/{sessionId}', 404);
    await call('POST', '/v1/sessions/{sessionId}', 200, { params, body: { title: 'A talk' } });
    const events = '/v1/sessions/{sessionId}/events';
    const said = { type: 'user.message', content: [{ type: 'text', text: 'hello' }] };
    await call('POST', events, 200, { params, body: { events: [said] } });
    await call('POST', events, 400, { params, body: { events: [] } });
    await call('GET', events, 200, { params });
    await call('GET', events, 400, { params, query: '?types[]=gossip' });
    const { data } = await call('GET', '/v1/sessions/{sessionId}/threads', 200, { params });
    const thread = { sessionId, threadId: data[0].id };
    await call('GET', '/v1/sessions/{sessionId}/threads/{threadId}', 200, { params: thread });
    await call('GET', '/v1/sessions/{sessionId}/threads/{threadId}/events', 200, { params: thread });
    await call('POST', '/v1/sessions/{sessionId}/threads/{threadId}/archive', 409, { params: thread });
    const resources = '/v1/sessions/{sessionId}/resources';
    const repository = {
      type: 'github_repository',
      url: 'https://github.com/example/thing',
      authorization_token: 'no-secret',
    };
    const { id: resourceId } = await call('POST', resources, 200, { params, body: repository });
    const resource = { sessionId, resourceId };
    await call('GET', resources, 200, { params });
    await call('GET', `${resources}/{resourceId}`, 200, { params: resource });
    const token = { authorization_token: 'another-one' };
    await call('POST', `${resources}/{resourceId}`, 200, { params: resource, body: token });
    await call('DELETE', `${resources}/{resourceId}`, 200, { params: resource });
    await call('POST', '/v1/sessions/{sessionId}/archive', 200, { params });
    await call('POST', events, 409, { params, body: { events: [said] } });
    const another = { sessionId: (await call('POST', '/v1/sessions', 200, { body })).id };
    await call('DELETE', '/v1/sessions/{sessionId}', 200, { params: another });
  });

  it('for engines', async () => {
    const body = { name: 'An engine', url: 'https://engine.example/runs' };
    const { id: engineId } = await call('POST', '/runtime/v1/engines', 200, { body });
    await call('POST', '/runtime/v1/engines', 400, { body: { name: 'No engine' } });
    await call('GET', '/runtime/v1/engines', 200);
    await call('GET', '/runtime/v1/engines/{engineId}', 200, { params: { engineId } });
    await call('DELETE', '/runtime/v1/engines/{engineId}', 200, { params: { engineId } });
    await call('GET', '/runtime/v1/engines/{engineId}', 404, { params: { engineId } });
    const run = { params: { sessionId: 'sesn_none', runId: 'srun_none' }, body: {} };
    await call('POST', '/runtime/v1/sessions/{sessionId}/runs/{runId}/events', 401, run);
  });

  it('for webhooks', async () => {
    const { endpointId } = await call('POST', '/v1/webhooks', 201, { body: { url: 'https://hooks.example/in' } });
    const params = { endpointId };
    await call('POST', '/v1/webhooks', 400, { body: {} });
    await call('GET', '/v1/webhooks', 200);
    await call('GET', '/v1/webhooks/{endpointId}', 200, { params });
    await call('PATCH', '/v1/webhooks/{endpointId}', 200, { params, body: { enabled: false } });
    await call('POST', '/v1/webhooks/{endpointId}/rotate-secret', 200, { params });
    await call('POST', '/v1/webhooks/{endpointId}/test', 200, { params });
    await call('POST', '/v1/webhooks/{endpointId}/retry', 409, { params });
    await call('POST', '/v1/webhooks/{endpointId}/skip', 409, { params });
    const eventIds = ['01a200f5-a748-7564-8a29-001f52e881cf'];
    await call('POST', '/v1/webhooks/{endpointId}/redeliver', 200, { params, body: { eventIds } });
    await call('GET', '/v1/webhooks/{endpointId}/dead-letters', 200, { params });
    await call('POST', '/v1/webhooks/{endpointId}/dead-letters/replay', 200, { params, body: { all: true } });
    await call('DELETE', '/v1/webhooks/{endpointId}/dead-letters/replay', 200, { params });
    await call('DELETE', '/v1/webhooks/{endpointId}', 200, { params });
    await call('GET', '/v1/webhooks/{endpointId}', 404, { params });
  });

  it('to callers of this machine without a key: they are let in to try the workspace doors, and to no others (G8)', async () => {
    await call('GET', '/v1/sessions', 401, { key: '' });
    await call('POST', '/v1/webhooks', 401, { key: '', body: { url: 'https://hooks.example/in' } });
  });

  it('and every operation was tried', () => {
    expect(calls.untried(({ path, 'x-sluice-app': app }) => APPS.includes(app) && !isStream(path))).toEqual([]);
  });
});
