import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the server saw it. */
export interface SeenRequest {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
  atMs: number;
}

/** Answers the n-th request (0, 1, 2 ...). */
export type Script = (response: http.ServerResponse, request: SeenRequest, index: number) => void;

/** A real HTTP server that answers as a test says and remembers what it was asked. */
export class ScriptedHttpServer {
  readonly seen: SeenRequest[] = [];
  script: Script = (response) => void response.writeHead(500).end('no script');

  private readonly server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString();
      const seen = { method, url, headers, body, atMs: performance.now() };
      this.seen.push(seen);
      this.script(response, seen, this.seen.length - 1);
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

/** Answers with the envelope of a success. */
export function succeed(response: http.ServerResponse, data: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ success: true, data }));
}
