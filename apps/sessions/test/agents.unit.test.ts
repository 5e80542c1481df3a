import { all, MODEL, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

it('makes an agent with every member that the SDK knows, defaults included', async () => {
  const { client } = service;
  const agent = await client.beta.agents.create({ name: 'plain', model: MODEL });
  expect(agent).toEqual({
    id: expect.stringMatching(/^agent_[0-9a-f]{32}$/),
    type: 'agent',
    version: 1,
    name: 'plain',
    model: { id: MODEL },
    system: null,
    description: null,
    tools: [],
    mcp_servers: [],
    skills: [],
    multiagent: null,
    execution_identity: { type: 'service_account' },
    metadata: {},
    archived_at: null,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    updated_at: agent.created_at,
  });
  expect(await client.beta.agents.retrieve(agent.id)).toEqual(agent);
  expect(agent._request_id).toEqual(expect.any(String));
});

it('fills in what is left out of tools, models and skills', async () => {
  const agent = await service.client.beta.agents.create({
    name: 'equipped',
    model: { id: MODEL, effort: 'high', speed: null },
    mcp_servers: [{ type: 'url', name: 'tickets', url: 'https://mcp.example.com/' }],
    skills: [{ type: 'anthropic', skill_id: 'xlsx' }],
    tools: [
      { type: 'agent_toolset_20260401', configs: [{ name: 'bash', permission_policy: { type: 'always_ask' } }] },
      { type: 'mcp_toolset', mcp_server_name: 'tickets' },
      { type: 'custom', name: 'weather', description: 'Tells it', input_schema: { type: 'object', properties: {} } },
    ],
  });
  expect(agent.model).toEqual({ id: MODEL, effort: { type: 'high' } });
  expect(agent.skills).toEqual([{ type: 'anthropic', skill_id: 'xlsx', version: 'latest' }]);
  expect(agent.tools).toEqual([
    {
      type: 'agent_toolset_20260401',
      default_config: { enabled: true, permission_policy: { type: 'always_allow' } },
      configs: [{ name: 'bash', type: 'bash', enabled: true, permission_policy: { type: 'always_ask' } }],
    },
    {
      type: 'mcp_toolset',
      mcp_server_name: 'tickets',
      default_config: { enabled: true, permission_policy: { type: 'always_ask' } },
      configs: [],
    },
    { type: 'custom', name: 'weather', description: 'Tells it', input_schema: { type: 'object', properties: {} } },
  ]);
});

it('makes a version of each change that changes something, and keeps them all', async () => {
  const { agents } = service.client.beta;
  const first = await agents.create({
    name: 'one',
    model: MODEL,
    system: 'be brief',
    metadata: { engine: 'built-in', team: 'a' },
  });
  const same = await agents.update(first.id, { version: 1, name: 'one', metadata: { team: 'a' } });
  expect(same).toEqual(first);
  const second = await agents.update(first.id, { version: 1, name: 'two', metadata: { team: null, tier: '1' } });
  expect(second).toMatchObject({ version: 2, name: 'two', system: 'be brief' });
  expect(second.metadata).toEqual({ engine: 'built-in', tier: '1' });
  expect(Date.parse(second.updated_at)).toBeGreaterThan(Date.parse(first.updated_at));
  const third = await agents.update(first.id, { system: null, tools: null });
  expect(third).toMatchObject({ version: 3, name: 'two', system: null });

  const stale = await refusalOf(agents.update(first.id, { version: 2, name: 'late' }));
  expect(stale).toMatchObject({ status: 409, type: 'invalid_request_error' });
  expect(stale.headers.get('x-should-retry')).toBe('false');

  expect(await agents.retrieve(first.id, { version: 1 })).toEqual(first);
  expect(await agents.retrieve(first.id, { version: 3 })).toEqual(third);
  expect(await all(agents.versions.list(first.id))).toEqual([third, second, first]);
  expect(await all(agents.versions.list(first.id, { limit: 1 }))).toEqual([third, second, first]);
  expect(await refusalOf(agents.retrieve(first.id, { version: 4 }))).toMatchObject({ status: 404 });
  expect(await refusalOf(agents.retrieve('agent_none', { version: 1 }))).toMatchObject({ status: 404 });
  expect(await refusalOf(all(agents.versions.list('agent_none')))).toMatchObject({ status: 404 });
});

it('makes as many versions as there are changes when many come at once', async () => {
  const { agents } = service.client.beta;
  const { id } = await agents.create({ name: 'many', model: MODEL });
  await Promise.all(Array.from({ length: 8 }, (_, index) => agents.update(id, { metadata: { [`k${index}`]: 'v' } })));
  const now = await agents.retrieve(id);
  expect(now.version).toBe(9);
  expect(Object.keys(now.metadata)).toHaveLength(8);
  expect((await all(agents.versions.list(id))).map(({ version }) => version)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

it('archives an agent once: it is not listed, not changed, and no more sessions are made of it', async () => {
  const { agents, environments, sessions } = service.client.beta;
  const { id } = await agents.create({ name: 'old', model: MODEL });
  const archived = await agents.archive(id);
  expect(archived).toMatchObject({ id, version: 1, archived_at: expect.any(String) });
  expect(await agents.archive(id)).toEqual(archived);
  expect(await agents.retrieve(id)).toEqual(archived);
  expect((await all(agents.list())).map((agent) => agent.id)).not.toContain(id);
  expect((await all(agents.list({ include_archived: true }))).map((agent) => agent.id)).toContain(id);
  expect(await refusalOf(agents.update(id, { name: 'new' }))).toMatchObject({ status: 400 });
  const environment = await environments.create({ name: 'e' });
  const refused = await refusalOf(sessions.create({ agent: id, environment_id: environment.id }));
  expect(refused).toMatchObject({ status: 400, type: 'invalid_request_error' });
});

it('lists the newest first, in pages, within a time', async () => {
  const other = service.clientOf(await service.key(31));
  const made: string[] = [];
  for (let index = 0; index < 5; index++) {
    made.push((await other.beta.agents.create({ name: `a${index}`, model: MODEL })).id);
  }
  const ids = async (query: object) => (await all(other.beta.agents.list(query))).map(({ id }) => id);
  expect(new Set(await ids({ limit: 2 }))).toEqual(new Set(made));
  expect(await ids({ limit: 2 })).toEqual(await ids({}));
  const page = await other.beta.agents.list({ limit: 4 });
  expect(page.data).toHaveLength(4);
  expect(page.next_page).toEqual(expect.stringMatching(/^page_/));
  expect((await other.beta.agents.list({ limit: 5 })).next_page).toBeNull();
  expect(await ids({ 'created_at[gte]': '2100-01-01T00:00:00Z' })).toEqual([]);
  expect(
    await ids({ 'created_at[gte]': '2000-01-01T00:00:00Z', 'created_at[lte]': '2100-01-01T00:00:00Z' }),
  ).toHaveLength(5);
});

it('gives the agent in the named version, and with overrides, to a session', async () => {
  const { agents, environments, sessions } = service.client.beta;
  const agent = await agents.create({ name: 'v1', model: MODEL });
  await agents.update(agent.id, { name: 'v2' });
  const { id } = await environments.create({ name: 'e' });
  const old = await sessions.create({ agent: { type: 'agent', id: agent.id, version: 1 }, environment_id: id });
  expect(old.agent).toMatchObject({ id: agent.id, type: 'agent', version: 1, name: 'v1' });
  const overridden = await sessions.create({
    agent: {
      type: 'agent_with_overrides',
      id: agent.id,
      model: 'other-model',
      tools: [{ type: 'agent_toolset_20260401' }],
    },
    environment_id: id,
  });
  expect(overridden.agent).toMatchObject({
    name: 'v2',
    model: { id: 'other-model' },
    tools: [{ configs: [], default_config: { enabled: true } }],
  });
});

it('has no agent that works with others, and says so', async () => {
  const { id } = (await create({ multiagent: null })).body;
  const update = await service.request('POST', `/v1/agents/${id}`, {
    multiagent: { type: 'multiagent_20261001', subagents: { type: 'enabled' } },
  });
  expect({ status: update.status, type: update.body.error?.type }).toEqual({
    status: 400,
    type: 'invalid_request_error',
  });
  expect((await service.request('POST', `/v1/agents/${id}`, { multiagent: null })).body).toMatchObject({ version: 1 });
});

const create = (body: object) => service.request('POST', '/v1/agents', { name: 'n', model: MODEL, ...body });

it.each<[string, object, string]>([
  ['no name', { name: undefined }, 'name'],
  ['an empty name', { name: '' }, 'name'],
  ['a name of 257', { name: 'n'.repeat(257) }, 'name'],
  ['no model', { model: undefined }, 'model'],
  ['a system prompt of 100001', { system: 's'.repeat(100_001) }, 'system'],
  ['an unknown member', { nmae: 'x' }, 'nmae'],
  ['an unknown tool', { tools: [{ type: 'magic' }] }, 'tools.0'],
  [
    'a tool description of 1025',
    { tools: [{ type: 'custom', name: 't', description: 'd'.repeat(1_025), input_schema: { type: 'object' } }] },
    'tools.0.description',
  ],
  [
    'a tool name with a space',
    { tools: [{ type: 'custom', name: 'a b', description: 'd', input_schema: { type: 'object' } }] },
    'tools.0.name',
  ],
  ['a toolset of no server', { tools: [{ type: 'mcp_toolset', mcp_server_name: 'x' }] }, 'tools[0].mcp_server_name'],
  [
    'a server twice',
    {
      mcp_servers: [
        { type: 'url', name: 'x', url: 'https://a.example/' },
        { type: 'url', name: 'x', url: 'https://b.example/' },
      ],
    },
    'mcp_servers',
  ],
  ['metadata of 17', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [at, ''])) }, 'metadata'],
  ['metadata that is no text', { metadata: { a: 1 } }, 'metadata.a'],
  ['several agents in one session', { multiagent: { type: 'coordinator', agents: ['agent_x'] } }, 'multiagent'],
])('refuses %s', async (_, body, where) => {
  const { status, body: answer, headers } = await create(body);
  expect({ status, type: answer.error.type }).toEqual({ status: 400, type: 'invalid_request_error' });
  expect(answer.error.message).toContain(where);
  expect(headers.get('x-should-retry')).toBe('false');
});

it('takes what is just within the limits', async () => {
  const { status } = await create({
    name: 'n'.repeat(256),
    system: 's'.repeat(100_000),
    tools: [{ type: 'custom', name: 't', description: 'd'.repeat(1_024), input_schema: { type: 'object' } }],
  });
  expect(status).toBe(200);
});

it('has the effect of one when a creation is repeated with its key', async () => {
  const headers = { 'idempotency-key': 'same' };
  const [a, b] = await Promise.all(
    [1, 2].map(() => service.request('POST', '/v1/agents', { name: 'k', model: 'm' }, headers)),
  );
  expect(a?.body).toEqual(b?.body);
  const other = await service.request('POST', '/v1/agents', { name: 'other', model: 'm' }, headers);
  expect(other.body.id).not.toBe(a?.body.id);
});

it('works with the older SDK', async () => {
  const { agents } = service.oldClient.beta;
  const agent = await agents.create({ name: 'older', model: MODEL });
  expect(await agents.update(agent.id, { version: 1, name: 'newer' })).toMatchObject({ version: 2 });
  expect(await all(agents.versions.list(agent.id))).toHaveLength(2);
  expect((await agents.list({ limit: 1 })).data).toHaveLength(1);
});
