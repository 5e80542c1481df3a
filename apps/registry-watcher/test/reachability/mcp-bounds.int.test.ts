import type { ServerResponse } from 'node:http';
import { localServers, sayJson, until, type Answer } from './local-server';
import { NEVER, probeMcp, proberFor } from './probing';
import { StrictMcpServer } from './strict-mcp-server';

const serve = localServers();

const idOf = (body: string) => (JSON.parse(body) as { id: number }).id;
const initialized = (id: unknown, protocolVersion = '2025-06-18') => ({
  jsonrpc: '2.0',
  id,
  result: { protocolVersion, capabilities: {}, serverInfo: { name: 'a', version: '1' } },
});
const streamHead = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

/** What waits for this does not end within the time of a test. */
const LONGER_THAN_A_TEST_MS = 3_600_000;

/** Probes one server that answers so. */
async function probeServer(answer: Answer, options: Parameters<typeof proberFor>[1] = {}) {
  const server = await serve(answer);
  const probe = await probeMcp(proberFor([server], options), `${server.url}/mcp`);
  return { probe, server };
}

describe('bounds of an MCP probe (G9)', () => {
  it('gives a server up that does not answer in time', async () => {
    const { probe, server } = await probeServer(() => undefined, { timeoutMs: 700 });
    expect(probe).toEqual({ reachable: false, detail: 'timeout' });
    expect(server.asked).toEqual(['POST /mcp']);
    await until(() => server.left === 1);
  });

  it('gives an endless stream up by time, by bytes and by events', async () => {
    const slow = await probeServer(
      (response) => {
        streamHead(response);
        const timer = setInterval(() => response.write(': ping\n\n'), 20);
        response.on('close', () => clearInterval(timer));
      },
      { timeoutMs: 300 },
    );
    expect(slow.probe).toEqual({ reachable: false, detail: 'timeout' });
    await until(() => slow.server.left === 1);

    const pour =
      (text: string): Answer =>
      (response) => {
        streamHead(response);
        const write = () => {
          while (!response.destroyed && response.write(text));
        };
        response.on('drain', write);
        write();
      };
    const fast = await probeServer(pour(`: ${'x'.repeat(10_000)}\n\n`));
    expect(fast.probe).toEqual({ reachable: false, detail: 'too_large' });
    await until(() => fast.server.left === 1);
    const chatty = await probeServer(pour('data: {}\n\n'));
    expect(chatty.probe).toEqual({ reachable: false, detail: 'not_mcp 200' });
    await until(() => chatty.server.left === 1);
  });

  it('gives a body up that is too large, and one that never ends', async () => {
    const large = await probeServer((response, { body }) =>
      sayJson(response, { ...initialized(idOf(body)), padding: 'x'.repeat(300_000) }),
    );
    expect(large.probe).toEqual({ reachable: false, detail: 'too_large' });
    const endless = await probeServer(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{');
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
      { timeoutMs: 300 },
    );
    expect(endless.probe).toEqual({ reachable: false, detail: 'timeout' });
  });

  it('does not wait long for a session that nobody takes back', async () => {
    const { probe } = await probeServer(
      (response, { method, body }) => {
        if (method === 'POST') sayJson(response, initialized(idOf(body)), 200, { 'mcp-session-id': 'kept' });
      },
      { timeoutMs: LONGER_THAN_A_TEST_MS },
    );
    expect(probe).toMatchObject({ reachable: true });
  });

  it('ends at once when it is aborted, and says nothing about the endpoint', async () => {
    const server = await serve(() => undefined);
    const abort = new AbortController();
    const probing = proberFor([server]).probe({ tokenId: '7', mcpEndpoint: server.url }, abort.signal);
    await until(() => server.seen.length === 1);
    abort.abort();
    const result = await probing;
    expect(result).toEqual({ target: { tokenId: '7', mcpEndpoint: server.url }, probedAt: expect.any(Number) });
    expect(await proberFor([server]).probe(result.target, AbortSignal.abort())).not.toHaveProperty('mcp');
  });
});

describe('where an MCP probe goes', () => {
  it('follows redirects that keep the method, and asks again where those lead that do not', async () => {
    const strict = new StrictMcpServer('json');
    const target = await serve(strict.answer);
    for (const status of [301, 302, 303, 307, 308]) {
      const door = await serve((response) => void response.writeHead(status, { location: `${target.url}/mcp` }).end());
      const probe = await probeMcp(proberFor([door, target]), door.url);
      expect([status, probe]).toEqual([
        status,
        { reachable: true, latencyMs: expect.any(Number), detail: 'initialized' },
      ]);
    }
    expect(strict.sessions.size).toBe(0);
  });

  it('goes nowhere that is not public, directly or by a redirect, and not in circles', async () => {
    const secret = await serve((response) => void response.writeHead(401).end());
    const door = await serve((response, { path }) => {
      response.writeHead(307, { location: path === '/circle' ? '/circle' : secret.url }).end();
    });
    const prober = proberFor([door]);
    expect(await probeMcp(prober, secret.url)).toEqual({ reachable: false, detail: 'refused_address' });
    expect(await probeMcp(prober, door.url)).toEqual({ reachable: false, detail: 'refused_address' });
    expect(await probeMcp(prober, `${door.url}/circle`)).toEqual({ reachable: false, detail: 'too_many_redirects' });
    expect(secret.asked).toEqual([]);
  });

  it.each([
    '',
    'mcp',
    'ftp://example.org',
    'ws://example.org/mcp',
    'http://',
    'http://user:word@127.0.0.1/',
    'javascript:1',
    '\u0000',
  ])('does not reach %j, which is no address of the web', async (endpoint) => {
    const result = await proberFor([]).probe({ tokenId: '1', mcpEndpoint: endpoint, a2aEndpoint: endpoint }, NEVER);
    const nowhere = { reachable: false, detail: 'invalid_url' };
    expect(result).toMatchObject({ mcp: nowhere, a2a: nowhere });
  });

  it('does not reach a port where nobody listens', async () => {
    const server = await serve();
    const prober = proberFor([server]);
    const { url } = server;
    await server.stop();
    expect(await probeMcp(prober, url)).toEqual({ reachable: false, detail: 'unreachable' });
  });
});
