import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** When it came, on the clock of `performance.now()`. */
  readonly atMs: number;
}

/** Answers one request; `index` counts the requests of this server from 0. */
export type Answer = (response: http.ServerResponse, request: SeenRequest, index: number) => void;

/** A real HTTP server on the loopback address that answers as a test says and remembers what it was asked. */
export class LocalServer {
  readonly seen: SeenRequest[] = [];
  /** Most requests that were open at a time. */
  mostAtOnce = 0;
  /** Answers that the client left before their end. */
  left = 0;
  private open = 0;
  private readonly server: http.Server;

  constructor(public answer: Answer = (response) => void response.writeHead(404).end()) {
    this.server = http.createServer((request, response) => {
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.open);
      response.on('close', () => {
        this.open--;
        if (!response.writableEnded) this.left++;
      });
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const body = Buffer.concat(chunks).toString();
        const seen = { method, path: url, headers, body, atMs: performance.now() };
        this.seen.push(seen);
        this.answer(response, seen, this.seen.length - 1);
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** `GET /a`, `POST /b` … in the order in which they came. */
  get asked(): string[] {
    return this.seen.map(({ method, path }) => `${method} ${path}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Starts servers that are stopped after each test. */
export function localServers(): (answer?: Answer) => Promise<LocalServer> {
  const started: LocalServer[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()));
  });
  return async (answer) => {
    const server = await new LocalServer(answer).start();
    started.push(server);
    return server;
  };
}

/** Answers with a value as JSON. */
export function sayJson(response: http.ServerResponse, value: unknown, status = 200, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

const UNTIL_MAX_MS = 60_000;

/** Between two looks the processor is for those who are waited for. */
const LOOK_INTERVAL_MS = 2;

/** Resolves when the condition holds; rejects when it does not in time. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + UNTIL_MAX_MS;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain: ${condition.toString()}`);
    await pause(LOOK_INTERVAL_MS);
  }
}
