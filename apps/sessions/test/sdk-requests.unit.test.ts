import { Anthropic, NotFoundError } from '@anthropic-ai/sdk';
import { makeParts, MODEL, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';
import { OPERATOR_KEY } from './support/sessions-app';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

describe('what is not there', () => {
  it.each([
    ['GET', '/v1/sessions/sesn_x/nothing'],
    ['POST', '/v1/sessions/sesn_x/threads/sthr_x/nothing'],
    ['GET', '/v1/agents/agent_x/nothing'],
    ['PUT', '/v1/agents/agent_x'],
    ['PATCH', '/v1/agents'],
    ['POST', '/v1/environments/env_x/work'],
    ['DELETE', '/v1/environments'],
    ['POST', '/v1/vaults/vlt_x/credentials/vcrd_x/mcp_oauth_validate'],
    ['PUT', '/v1/files/file_x/content'],
    ['GET', '/runtime/v1/nothing'],
    ['PUT', '/runtime/v1/engines'],
    ['GET', '/runtime/v1'],
    ['GET', '//v1//agents/agent_x/nothing'],
  ])('is answered in the form of the SDK: %s %s', async (method, path) => {
    const answer = await service.request(method, path, method === 'GET' ? undefined : {});
    const requestId = answer.headers.get('request-id');
    expect({ status: answer.status, body: answer.body, retry: answer.headers.get('x-should-retry') }).toEqual({
      status: 404,
      body: {
        type: 'error',
        error: { type: 'not_found_error', message: expect.any(String), details: { error_code: expect.any(String) } },
        request_id: requestId,
      },
      retry: 'false',
    });
    expect(requestId).toEqual(expect.any(String));
  });

  it.each([
    ['that cannot be decoded', '/v1/agents/%zz'],
    ['with a part that is too long', `/v1/agents/${'x'.repeat(600)}`],
  ])('is answered so for an address %s', async (_, path) => {
    const { status, body, headers } = await service.request('GET', path);
    expect({ status, body }).toEqual({
      status: 400,
      body: {
        type: 'error',
        error: { type: 'invalid_request_error', message: expect.any(String), details: expect.any(Object) },
        request_id: headers.get('request-id'),
      },
    });
  });

  it('is an error of its class to the SDK', async () => {
    const refused = await refusalOf(service.client.get('/v1/sessions/sesn_x/nothing'));
    expect(refused).toBeInstanceOf(NotFoundError);
    expect(refused).toMatchObject({ type: 'not_found_error', requestID: expect.any(String) });
  });

  it('is answered in the form of the house beside the paths of this app', async () => {
    for (const path of ['/v1/nothing', '/v1/sessionsx', '/nothing', '/runtime']) {
      const { status, body } = await service.request('GET', path);
      expect({ status, body }).toMatchObject({ status: 404, body: { success: false, code: 'not_found' } });
    }
  });
});

describe('the workspace that the SDK names', () => {
  const list = (headers: Record<string, string>, path = '/v1/agents') =>
    service.request('GET', path, undefined, headers);

  it('has to be that of the key', async () => {
    const { url, apiKey } = service;
    const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
    const { id } = await client.beta.agents.create({ name: 'a', model: MODEL, workspace_id: '1' });
    expect(await client.beta.agents.retrieve(id, { workspace_id: '1' })).toMatchObject({ id });
    const foreign = await refusalOf(client.beta.agents.retrieve(id, { workspace_id: '2' }));
    const other = await list({}, `/v1/agents/${id}?workspaceId=2`);
    expect({ status: foreign.status, type: foreign.type }).toEqual({ status: 401, type: 'authentication_error' });
    expect(other.status).toBe(401);
  });

  it('is refused when it is no workspace, or another one than the query names', async () => {
    for (const name of ['wrkspc_011CZkZaBF1tNoB5wlCeusgy', '0', '-1', '1.5', '99999999999999999999']) {
      const { status, body } = await list({ 'anthropic-workspace-id': name });
      expect({ name, status, type: body.error.type }).toEqual({ name, status: 400, type: 'invalid_request_error' });
      expect(body.error.message).toContain('anthropic-workspace-id');
    }
    const operator = { 'x-api-key': OPERATOR_KEY };
    const both = await list({ ...operator, 'anthropic-workspace-id': '2' }, '/v1/agents?workspaceId=1');
    expect(both.status).toBe(400);
  });

  it('is where operators work', async () => {
    const { agent } = await makeParts(service.client);
    const read = (workspace: string) =>
      list({ 'x-api-key': OPERATOR_KEY, 'anthropic-workspace-id': workspace }, `/v1/agents/${agent}`);
    expect([(await read('1')).status, (await read('2')).status]).toEqual([200, 404]);
  });

  it('is looked at for uploads and streams as well', async () => {
    const form = new FormData();
    form.append('file', new File(['x'], 'a.txt'));
    const headers = { 'anthropic-workspace-id': '2' };
    expect((await service.request('POST', '/v1/files', form, headers)).status).toBe(401);
    expect((await list(headers, '/v1/sessions/sesn_x/events/stream')).status).toBe(401);
  });
});

describe('a call that is repeated with its key', () => {
  const headers = { 'idempotency-key': 'again' };
  const engine = { name: 'engine', url: 'https://engine.example.com/runs' };

  it('registers one engine, with one secret', async () => {
    const register = (body: object) => service.request('POST', '/runtime/v1/engines', body, headers);
    const [first, second] = await Promise.all([register(engine), register(engine)]);
    expect(first?.status).toBe(200);
    expect(second?.body).toEqual(first?.body);
    expect((await register({ ...engine, name: 'other' })).body.id).not.toBe(first?.body.id);
    const without = await service.request('POST', '/runtime/v1/engines', engine);
    expect(without.body.id).not.toBe(first?.body.id);
    expect((await service.request('GET', '/runtime/v1/engines')).body.data).toHaveLength(3);
  });

  it('registers nothing more where there are as many engines as there can be', async () => {
    const mine = { ...headers, 'x-api-key': await service.key(73) };
    const first = await service.request('POST', '/runtime/v1/engines', engine, mine);
    for (let index = 1; index < 100; index++) {
      const { status } = await service.request('POST', '/runtime/v1/engines', engine, {
        'x-api-key': mine['x-api-key'],
      });
      expect(status).toBe(200);
    }
    const again = await service.request('POST', '/runtime/v1/engines', engine, mine);
    expect(again.body).toEqual(first.body);
  });

  it('makes one version of an agent, whatever comes between', async () => {
    const { body: agent } = await service.request('POST', '/v1/agents', { name: 'v1', model: MODEL });
    const path = `/v1/agents/${agent.id}`;
    const update = { version: 1, name: 'v2' };
    const [first, second] = await Promise.all([1, 2].map(() => service.request('POST', path, update, headers)));
    expect(first).toMatchObject({ status: 200, body: { version: 2, name: 'v2' } });
    expect(second?.body).toEqual(first?.body);
    await service.request('POST', path, { name: 'v3' });
    const third = await service.request('POST', path, update, headers);
    expect(third.body).toEqual(first?.body);
    expect((await service.request('GET', path)).body).toMatchObject({ version: 3, name: 'v3' });
    const { body: versions } = await service.request('GET', `${path}/versions`);
    expect(versions.data.map(({ version }: { version: number }) => version)).toEqual([3, 2, 1]);
    const other = await service.request('POST', path, { version: 1, name: 'x' }, headers);
    expect(other.status).toBe(409);
  });
});
