import { localServers, sayJson, type Answer } from './local-server';
import { NEVER, probeA2a, probeMcp, proberFor } from './probing';
import { StrictMcpServer } from './strict-mcp-server';

const serve = localServers();

const CARD = { name: 'An agent', url: 'https://agent.example/a2a', skills: [] };

/** Shows the card at these paths only; answers elsewhere as told. */
const cardAt =
  (paths: readonly string[], elsewhere: Answer = (response) => void response.writeHead(404).end('<html>')): Answer =>
  (response, request, index) => {
    if (paths.includes(request.path)) sayJson(response, CARD);
    else elsewhere(response, request, index);
  };

async function probeServer(answer: Answer, path = '', options: Parameters<typeof proberFor>[1] = {}) {
  const server = await serve(answer);
  return { probe: await probeA2a(proberFor([server], options), `${server.url}${path}`), server };
}

const REACHED = { reachable: true, latencyMs: expect.any(Number), detail: 'card' };

describe('A2A cards', () => {
  it.each<[string, string, string[]]>([
    ['', '/.well-known/agent-card.json', ['/.well-known/agent-card.json']],
    ['', '/.well-known/agent.json', ['/.well-known/agent-card.json', '/.well-known/agent.json']],
    ['/', '/', ['/.well-known/agent-card.json', '/.well-known/agent.json', '/']],
    ['/agents/7/', '/agents/7/.well-known/agent-card.json', ['/agents/7/.well-known/agent-card.json']],
    [
      '/a2a?x=1',
      '/.well-known/agent.json',
      [
        '/a2a/.well-known/agent-card.json',
        '/a2a/.well-known/agent.json',
        '/.well-known/agent-card.json',
        '/.well-known/agent.json',
      ],
    ],
    ['/cards/7.json?v=2', '/cards/7.json?v=2', ['/cards/7.json?v=2']],
    [
      '/.well-known/agent.json',
      '/.well-known/agent-card.json',
      ['/.well-known/agent.json', '/.well-known/agent-card.json'],
    ],
  ])('are found for the endpoint "%s" at %s', async (endpoint, place, asked) => {
    const { probe, server } = await probeServer(cardAt([place]), endpoint);
    expect(probe).toEqual(REACHED);
    expect(server.asked).toEqual(asked.map((path) => `GET ${path}`));
    expect(server.seen[0]?.headers.accept).toBe('application/json');
  });

  it.each<[string, string]>([
    ['a page of HTML', '<!doctype html><title>{"name":"x"}</title>'],
    ['an empty object', '{}'],
    ['a blank name', '{"name":" "}'],
    ['an array', '[{"name":"x"}]'],
    ['no skills', '{"skills":[]}'],
    ['half a card', '{"name":"x"'],
    ['nothing', ''],
  ])('are not %s, wherever it is shown', async (_, body) => {
    const { probe, server } = await probeServer((response) => void response.writeHead(200).end(body), '/a2a');
    expect(probe).toEqual({ reachable: false, detail: 'no_card 200' });
    expect(server.asked).toHaveLength(5);
  });

  it('may have skills only, any media type and a byte order mark', async () => {
    const { probe } = await probeServer(
      (response) => void response.writeHead(200).end('\ufeff{"skills":[{"id":"a"}]}'),
    );
    expect(probe).toEqual(REACHED);
  });

  it.each([401, 402, 403])(
    'that are protected by %i count as reachable, unless a card is elsewhere',
    async (status) => {
      const refuse: Answer = (response) => void response.writeHead(status).end();
      const all = await probeServer(refuse);
      expect(all.probe).toMatchObject({ reachable: true, detail: 'protected' });
      expect(all.server.asked).toHaveLength(3);
      const mixed = await probeServer(cardAt(['/.well-known/agent.json'], refuse));
      expect(mixed.probe).toEqual(REACHED);
    },
  );

  it('are not looked for on when the host is away, slow or in trouble', async () => {
    const slow = await probeServer(() => undefined, '/a2a', { timeoutMs: 700 });
    expect(slow.probe).toEqual({ reachable: false, detail: 'timeout' });
    expect(slow.server.asked).toHaveLength(1);
    const away = await probeServer((response) => void response.destroy(), '/a2a');
    expect(away.probe).toEqual({ reachable: false, detail: 'unreachable' });
    expect(away.server.asked).toHaveLength(1);
    const trouble = await probeServer(
      (response) => void response.writeHead(503, { 'retry-after': '60' }).end(),
      '/a2a',
    );
    expect(trouble.probe).toEqual({ reachable: false, detail: 'http_status 503' });
    expect(trouble.server.asked).toHaveLength(1);
  });

  it('of any size cost bounded bytes (G9)', async () => {
    const { probe } = await probeServer((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', write);
      write();
    });
    expect(probe).toEqual({ reachable: false, detail: 'too_large' });
  });

  it('are found behind redirects, and never where it is not public', async () => {
    const target = await serve(cardAt(['/card']));
    const door = await serve((response) => void response.writeHead(302, { location: `${target.url}/card` }).end());
    expect(await probeA2a(proberFor([door, target]), door.url)).toEqual(REACHED);
    expect(await probeA2a(proberFor([door]), door.url)).toEqual({ reachable: false, detail: 'refused_address' });
    expect(target.asked).toEqual(['GET /card']);
  });
});

it('probes both endpoints of an agent, each by its own protocol', async () => {
  const strict = new StrictMcpServer('sse');
  const mcp = await serve(strict.answer);
  const a2a = await serve(cardAt(['/.well-known/agent-card.json']));
  const prober = proberFor([mcp, a2a]);
  const target = { tokenId: '0', mcpEndpoint: mcp.url, a2aEndpoint: a2a.url };
  const before = Date.now();
  const result = await prober.probe(target, NEVER);
  expect(result).toMatchObject({ target, mcp: { reachable: true, detail: 'initialized' }, a2a: REACHED });
  expect(result.probedAt).toBeGreaterThanOrEqual(before);
  expect(await probeMcp(prober, a2a.url)).toMatchObject({ reachable: false });
  expect(await probeA2a(prober, mcp.url)).toMatchObject({ reachable: false });
});
