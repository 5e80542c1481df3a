import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sayJson, type Answer, type SeenRequest } from './local-server';

const VERSIONS = ['2025-06-18', '2025-03-26'];

/**
 * A server of MCP over streamable HTTP that takes nothing on trust: no request without both media types, none but `initialize` without
 * a session, no session without the version that was agreed, and DELETE to end it.
 */
export class StrictMcpServer {
  readonly sessions = new Set<string>();
  /** Everything that it took amiss. */
  readonly complaints: string[] = [];
  opened = 0;

  constructor(private readonly form: 'json' | 'sse') {}

  readonly answer: Answer = (response, request) => {
    const { method, headers } = request;
    if (method === 'POST') return this.post(response, request);
    const sessionId = headers['mcp-session-id'];
    if (method !== 'DELETE') return this.complain(response, 405, `method ${method}`);
    if (typeof sessionId !== 'string' || !this.sessions.has(sessionId)) return this.complain(response, 404, 'session');
    if (!VERSIONS.includes(String(headers['mcp-protocol-version']))) return this.complain(response, 400, 'version');
    this.sessions.delete(sessionId);
    response.writeHead(204).end();
  };

  private post(response: ServerResponse, { headers, body }: SeenRequest): void {
    const accept = String(headers.accept);
    if (!accept.includes('application/json') || !accept.includes('text/event-stream')) {
      return this.complain(response, 406, 'accept');
    }
    if (headers['content-type'] !== 'application/json') return this.complain(response, 415, 'content-type');
    const message = JSON.parse(body) as { jsonrpc?: string; id?: number; method?: string; params?: object };
    if (message.jsonrpc !== '2.0' || message.method !== 'initialize') {
      return this.complain(response, 400, 'not initialized');
    }
    if (headers['mcp-session-id'] !== undefined) return this.complain(response, 400, 'initialize in a session');
    const { protocolVersion, capabilities, clientInfo } = message.params as Record<string, unknown>;
    if (typeof protocolVersion !== 'string' || typeof capabilities !== 'object' || typeof clientInfo !== 'object') {
      return this.complain(response, 400, 'params');
    }
    this.opened++;
    const sessionId = randomUUID();
    this.sessions.add(sessionId);
    const agreed = VERSIONS.includes(protocolVersion) ? protocolVersion : VERSIONS[0];
    const result = {
      protocolVersion: agreed,
      capabilities: { tools: {} },
      serverInfo: { name: 'strict', version: '1' },
    };
    const answer = { jsonrpc: '2.0', id: message.id, result };
    if (this.form === 'json') return sayJson(response, answer, 200, { 'mcp-session-id': sessionId });
    response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': sessionId });
    const notice = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'hello' } };
    response.end(`: welcome\n\ndata: ${JSON.stringify(notice)}\n\nevent: message\ndata: ${JSON.stringify(answer)}\n\n`);
  }

  private complain(response: ServerResponse, status: number, what: string): void {
    this.complaints.push(what);
    const error = { code: -32_000, message: `Bad Request: ${what}` };
    sayJson(response, { jsonrpc: '2.0', id: null, error }, status);
  }
}
