import { makeParts, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;
let parts: { agent: string; environment_id: string };

beforeAll(async () => {
  service = await startSessions();
  parts = await makeParts(service.client);
});

afterAll(() => service.stop());

const create = (body: object) => service.request('POST', '/v1/sessions', { ...parts, ...body });

it.each(['0025', '1.5', '-1', '', '00', '1e3', '+5', ' 5'])('refuses %j as the amount of a budget', async (amount) => {
  const { status, body } = await create({ budget: { type: 'limit', max_list_cost: { amount, currency: 'USD' } } });
  expect({ status, type: body.error.type }).toEqual({ status: 400, type: 'invalid_request_error' });
  expect(body.error.message).toContain('amount');
});

it.each(['0', '50', '2500', '999999999999999'])('takes %j as the amount of a budget', async (amount) => {
  const budget = { type: 'limit', max_list_cost: { amount, currency: 'USD' } };
  expect((await create({ budget })).body).toMatchObject({ budget });
});

describe('tools of a session', () => {
  const toolset = { type: 'mcp_toolset', mcp_server_name: 'tickets' };
  const server = { type: 'url', name: 'tickets', url: 'https://mcp.example.com/' };
  const custom = { type: 'custom', name: 'twice', description: 'd', input_schema: { type: 'object' } };

  it('are changed only as they could be given at its creation', async () => {
    const { body: session } = await create({});
    const update = (agent: object) => service.request('POST', `/v1/sessions/${session.id}`, { agent });
    for (const agent of [
      { tools: [toolset] },
      { tools: [custom, custom] },
      { mcp_servers: [server, server] },
      { tools: [toolset], mcp_servers: [] },
    ]) {
      const { status, body } = await update(agent);
      expect({ status, type: body.error?.type }).toEqual({ status: 400, type: 'invalid_request_error' });
    }
    const { body: same } = await service.request('GET', `/v1/sessions/${session.id}`);
    expect(same.agent).toEqual(session.agent);
    expect((await update({ tools: [toolset], mcp_servers: [server] })).status).toBe(200);
    // What stays needs the server that would go.
    expect((await update({ mcp_servers: null })).status).toBe(400);
    expect((await update({ tools: null, mcp_servers: null })).body.agent).toMatchObject({ tools: [], mcp_servers: [] });
  });
});

describe('resources of a session', () => {
  const store = { type: 'memory_store', memory_store_id: 'memstore_1' };

  it('are no memory stores, as there are none', async () => {
    const { body: session } = await create({});
    for (const answer of [
      await create({ resources: [store] }),
      await service.request('POST', `/v1/sessions/${session.id}/resources`, store),
    ]) {
      expect({ status: answer.status, type: answer.body.error?.type }).toEqual({
        status: 400,
        type: 'invalid_request_error',
      });
      expect(answer.body.error.message).toContain('memory store');
    }
    const { body } = await service.request('GET', '/v1/sessions?memory_store_id=memstore_1');
    expect(body).toEqual({ data: [], next_page: null, prev_page: null });
  });

  it('are mounted at a place each', async () => {
    const repository = (mount_path?: string) => ({
      type: 'github_repository',
      url: 'https://github.com/example/project',
      ...(mount_path !== undefined && { mount_path }),
    });
    for (const resources of [
      [repository(), repository()],
      [repository('/mnt/a'), repository(), repository('/mnt/a')],
    ]) {
      const { status, body } = await create({ resources });
      expect({ status, type: body.error?.type }).toEqual({ status: 400, type: 'invalid_request_error' });
      expect(body.error.message).toMatch(/resources\[[12]\]\.mount_path/);
    }
    expect((await create({ resources: [repository('/mnt/a'), repository('/mnt/b')] })).status).toBe(200);
  });
});

it('lets a session work on whose environment and vaults are deleted', async () => {
  const { environments, sessions, vaults } = service.client.beta;
  const own = await makeParts(service.client);
  const { id: vaultId } = await vaults.create({ display_name: 'v' });
  const session = await sessions.create({ ...own, vault_ids: [vaultId] });
  await environments.delete(own.environment_id);
  await vaults.delete(vaultId);
  const { data } = await sessions.events.send(session.id, {
    events: [{ type: 'user.message', content: [{ type: 'text', text: 'still there?' }] }],
  });
  expect(data).toHaveLength(1);
  expect(await sessions.retrieve(session.id)).toMatchObject({
    environment_id: own.environment_id,
    vault_ids: [vaultId],
  });
  expect(await refusalOf(sessions.create({ ...parts, vault_ids: [vaultId] }))).toMatchObject({ status: 404 });
});
