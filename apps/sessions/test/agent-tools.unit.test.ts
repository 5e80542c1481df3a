import { MODEL, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

const create = (body: object) => service.request('POST', '/v1/agents', { name: 'n', model: MODEL, ...body });

const NO_SOURCES = { client_tool_results: 'none', server_tool_results: { type: 'none' }, user_input: 'none' };

const webFetch = (sources?: object) => [
  {
    type: 'agent_toolset_20260401',
    configs: [{ name: 'web_fetch', max_content_tokens: 7, ...(sources && { url_sources: sources }) }],
  },
];

it.each<[string, object | undefined, object | null]>([
  ['nothing', undefined, null],
  [
    'null in place of sources',
    { user_input: null },
    { client_tool_results: null, server_tool_results: null, user_input: null },
  ],
  [
    'words',
    { client_tool_results: 'all', user_input: 'none' },
    { client_tool_results: { type: 'all' }, server_tool_results: null, user_input: { type: 'none' } },
  ],
  [
    'objects',
    { server_tool_results: { type: 'only', tools: [{ type: 'tool_reference', name: 'web_search' }] } },
    {
      client_tool_results: null,
      server_tool_results: { type: 'only', tools: [{ type: 'tool_reference', name: 'web_search' }] },
      user_input: null,
    },
  ],
])('shows the sources of URLs of web_fetch in full, given as %s', async (_, sources, shown) => {
  const { status, body } = await create({ tools: webFetch(sources) });
  expect(status).toBe(200);
  expect(body.tools[0].configs).toEqual([
    {
      name: 'web_fetch',
      type: 'web_fetch',
      enabled: true,
      permission_policy: { type: 'always_allow' },
      max_content_tokens: 7,
      url_sources: shown,
    },
  ]);
});

it('leaves to servers what their tools are configured by', async () => {
  const config = { name: 'web_fetch', url_sources: { client_tool_results: { tools: 'whatever' } } };
  const { status, body } = await create({
    mcp_servers: [{ type: 'url', name: 'tickets', url: 'https://mcp.example.com/' }],
    tools: [{ type: 'mcp_toolset', mcp_server_name: 'tickets', configs: [config] }],
  });
  expect(status).toBe(200);
  expect(body.tools[0].configs).toEqual([expect.objectContaining(config)]);
});

it.each<[string, object, string]>([
  ['sources of URLs that are none', { tools: webFetch({ user_input: 'some' }) }, 'url_sources'],
  [
    'a source of URLs that is no tool',
    {
      tools: webFetch({
        client_tool_results: { type: 'except', tools: [{ type: 'tool_reference', name: 'gone' }] },
      }),
    },
    'url_sources.client_tool_results',
  ],
  ['no source of URLs', { tools: webFetch(NO_SOURCES) }, 'url_sources'],
])('refuses %s', async (_, body, where) => {
  const { status, body: answer } = await create(body);
  expect({ status, type: answer.error?.type }).toEqual({ status: 400, type: 'invalid_request_error' });
  expect(answer.error.message).toContain(where);
});
