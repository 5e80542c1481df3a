import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** Where an agent lives: its registration file, its MCP endpoint and its A2A card. Beside it a model that classifies. */
export interface AgentHost {
  readonly origin: string;
  /** What `GET /agent.json` answers from now on. */
  registrationFile: object;
  mcpIsUp: boolean;
  a2aIsUp: boolean;
  stop(): Promise<void>;
}

type Answer = { readonly status: number; readonly body: object };

const CLASSES = {
  skills: [{ slug: 'audio', confidence: 0.9 }],
  domains: [{ slug: 'education', confidence: 0.7 }],
};

export async function startAgentHost(): Promise<AgentHost> {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host: AgentHost = {
    origin: `http://127.0.0.1:${port}`,
    registrationFile: {},
    mcpIsUp: true,
    a2aIsUp: true,
    stop: () => close(server),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const { status, body: answered } = answerTo(`${request.method} ${request.url}`, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answered));
  }

  function answerTo(request: string, body: string): Answer {
    const missing = { status: 404, body: {} };
    switch (request) {
      case 'GET /agent.json':
        return { status: 200, body: host.registrationFile };
      case 'POST /mcp':
        return host.mcpIsUp ? { status: 200, body: initialized(body) } : { status: 503, body: {} };
      case 'GET /.well-known/agent-card.json':
        return host.a2aIsUp ? { status: 200, body: { name: 'Agent', skills: [] } } : missing;
      case 'POST /model/v1/messages':
        return {
          status: 200,
          body: { stop_reason: 'end_turn', content: [{ type: 'text', text: JSON.stringify(CLASSES) }] },
        };
      default:
        return missing;
    }
  }
  return host;
}

function initialized(body: string): object {
  const { id } = JSON.parse(body) as { id: number };
  const serverInfo = { name: 'agent', version: '1' };
  return { jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo } };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
