import type { ServerResponse } from 'node:http';
import { localServers, sayJson, until, type Answer } from './local-server';
import { probeMcp, proberFor } from './probing';
import { StrictMcpServer } from './strict-mcp-server';

const serve = localServers();

const idOf = (body: string) => (JSON.parse(body) as { id: number }).id;
const initialized = (id: unknown, protocolVersion = '2025-06-18') => ({
  jsonrpc: '2.0',
  id,
  result: { protocolVersion, capabilities: {}, serverInfo: { name: 'a', version: '1' } },
});
const streamHead = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

/** Probes one server that answers so. */
async function probeServer(answer: Answer, options: Parameters<typeof proberFor>[1] = {}) {
  const server = await serve(answer);
  const probe = await probeMcp(proberFor([server], options), `${server.url}/mcp`);
  return { probe, server };
}

describe('MCP over streamable HTTP', () => {
  it.each(['json', 'sse'] as const)(
    'reaches a strict server that answers in %s, and gives its session back',
    async (form) => {
      const strict = new StrictMcpServer(form);
      const { probe, server } = await probeServer(strict.answer);
      expect(probe).toEqual({ reachable: true, latencyMs: expect.any(Number), detail: 'initialized' });
      expect(strict.complaints).toEqual([]);
      expect([strict.opened, strict.sessions.size]).toEqual([1, 0]);
      expect(server.asked).toEqual(['POST /mcp', 'DELETE /mcp']);
      expect(server.seen[0]?.headers).toMatchObject({
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'user-agent': 'sluice-test/1.0',
      });
      // No version is agreed yet.
      expect(server.seen[0]?.headers).not.toHaveProperty('mcp-protocol-version');
    },
  );

  it('tells the version of an older server when it gives the session back', async () => {
    const { probe, server } = await probeServer((response, { method, body }) => {
      if (method === 'DELETE') return void response.writeHead(405).end();
      sayJson(response, initialized(idOf(body), '2024-11-05'), 200, { 'mcp-session-id': 'a-session' });
    });
    expect(probe).toMatchObject({ reachable: true });
    expect(server.seen[1]?.headers).toMatchObject({
      'mcp-session-id': 'a-session',
      'mcp-protocol-version': '2024-11-05',
    });
  });

  it('sends no DELETE where there is no session, or none that a header can carry', async () => {
    for (const headers of [{}, { 'mcp-session-id': 'x'.repeat(600) }, { 'mcp-session-id': 'with blank' }]) {
      const { probe, server } = await probeServer((response, { body }) =>
        sayJson(response, initialized(idOf(body), '2025-06-18\r\nx: y'), 200, headers),
      );
      expect(probe).toMatchObject({ reachable: true });
      expect(server.asked).toEqual(['POST /mcp']);
    }
  });

  it('takes an answer in a batch, and leaves an open stream as soon as the answer is there', async () => {
    const batch = await probeServer((response, { body }) =>
      sayJson(response, [{ jsonrpc: '2.0', method: 'x' }, initialized(idOf(body))]),
    );
    expect(batch.probe).toMatchObject({ reachable: true, detail: 'initialized' });
    const open = await probeServer((response, { body }) => {
      streamHead(response).write(`data: ${JSON.stringify(initialized(idOf(body)))}\n\n`);
    });
    expect(open.probe).toMatchObject({ reachable: true, detail: 'initialized' });
    await until(() => open.server.left === 1);
  });

  it.each([401, 402, 403])('counts %i as reachable but protected', async (status) => {
    const { probe, server } = await probeServer((response) => void response.writeHead(status).end('<html>'));
    expect(probe).toEqual({ reachable: true, latencyMs: expect.any(Number), detail: 'protected' });
    expect(server.asked).toEqual(['POST /mcp']);
  });

  it('counts an error of JSON-RPC to our request, or to none, as an answer of the protocol', async () => {
    const error = { code: -32_602, message: 'Unsupported protocol version' };
    const own = await probeServer((response, { body }) => sayJson(response, { jsonrpc: '2.0', id: idOf(body), error }));
    expect(own.probe).toMatchObject({ reachable: true, detail: 'json_rpc_error' });
    const none = await probeServer((response) => sayJson(response, { jsonrpc: '2.0', id: null, error }, 400));
    expect(none.probe).toMatchObject({ reachable: true, detail: 'json_rpc_error' });
    expect(none.server.asked).toEqual(['POST /mcp']);
  });

  it('does not take a server of JSON-RPC without initialize for one of MCP', async () => {
    const error = { code: -32_601, message: 'the method initialize does not exist' };
    const { probe } = await probeServer((response, { body }) =>
      sayJson(response, { jsonrpc: '2.0', id: idOf(body), error }),
    );
    expect(probe).toEqual({ reachable: false, detail: 'not_mcp 200' });
  });

  it.each<[string, string, (id: number) => unknown]>([
    ['a result with another id', 'wrong_id 200', (id) => initialized(id + 1)],
    ['a result with our id as text', 'wrong_id 200', (id) => initialized(String(id))],
    [
      'an error with another id',
      'wrong_id 200',
      (id) => ({ jsonrpc: '2.0', id: id + 1, error: { code: 1, message: '' } }),
    ],
    ['a result without a version', 'not_mcp 200', (id) => ({ jsonrpc: '2.0', id, result: {} })],
    ['a tools list', 'not_mcp 200', (id) => ({ jsonrpc: '2.0', id, result: { tools: [] } })],
    ['a message without jsonrpc', 'not_mcp 200', (id) => ({ ...initialized(id), jsonrpc: undefined })],
    ['null', 'not_mcp 200', () => null],
    ['deep nonsense', 'not_mcp 200', () => JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)],
  ])('does not reach a server that answers with %s', async (_, detail, answerTo) => {
    const inJson = await probeServer((response, { body }) => sayJson(response, answerTo(idOf(body))));
    expect(inJson.probe).toEqual({ reachable: false, detail });
    const inStream = await probeServer((response, { body }) => {
      streamHead(response).end(`data: ${JSON.stringify(answerTo(idOf(body)))}\n\n`);
    });
    expect(inStream.probe).toEqual({ reachable: false, detail });
  });

  it('reads on in a stream when another answer comes first', async () => {
    const { probe } = await probeServer((response, { body }) => {
      const id = idOf(body);
      streamHead(response).end(
        [initialized(id + 1), initialized(id)].map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''),
      );
    });
    expect(probe).toMatchObject({ reachable: true, detail: 'initialized' });
  });

  it('does not reach a page of HTML, nor a server in trouble', async () => {
    const page = await probeServer(
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>'),
    );
    expect(page.probe).toEqual({ reachable: false, detail: 'not_mcp 200' });
    const trouble = await probeServer((response) => void response.writeHead(500).end());
    expect(trouble.probe).toEqual({ reachable: false, detail: 'http_status 500' });
    expect(trouble.server.asked).toEqual(['POST /mcp']);
  });
});

describe('MCP over the older transport', () => {
  it('reaches a stream that names its endpoint, after initialize was refused by a 4xx', async () => {
    const { probe, server } = await probeServer((response, { method }) => {
      if (method === 'POST') return void response.writeHead(405).end();
      streamHead(response).write(': hello\n\nevent: endpoint\ndata: /messages?session=1\n\n');
    });
    expect(probe).toMatchObject({ reachable: true, detail: 'legacy_sse' });
    expect(server.asked).toEqual(['POST /mcp', 'GET /mcp']);
    expect(server.seen[1]?.headers.accept).toBe('text/event-stream');
    await until(() => server.left === 1);
  });

  it.each<[string, Answer]>([
    [
      'a page',
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('event: endpoint\ndata: /x\n\n'),
    ],
    ['a stream of something else', (response) => void streamHead(response).end('event: price\ndata: 1\n\n')],
    ['an endpoint without a name', (response) => void streamHead(response).end('event: endpoint\ndata: \n\n')],
    ['another 404', (response) => void response.writeHead(404).end()],
  ])('does not reach %s there', async (_, answer) => {
    const { probe, server } = await probeServer((response, request, index) => {
      if (request.method === 'POST') response.writeHead(404).end();
      else answer(response, request, index);
    });
    expect(probe).toEqual({ reachable: false, detail: 'http_status 404' });
    expect(server.asked).toEqual(['POST /mcp', 'GET /mcp']);
  });

  it('counts a protected stream as reachable', async () => {
    const { probe } = await probeServer(
      (response, { method }) => void response.writeHead(method === 'POST' ? 404 : 401).end(),
    );
    expect(probe).toMatchObject({ reachable: true, detail: 'protected' });
  });
});
