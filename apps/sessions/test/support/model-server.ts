import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '@sluice/engine/conformance';

/** What it is asked. */
export interface AskedModel {
  readonly headers: IncomingMessage['headers'];
  readonly body: Json;
}

/** What it answers to one request; `hold` waits until it is released. */
export type ModelScript = (asked: AskedModel) => {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: object | string;
};

/** An endpoint of the Messages API that answers as it was told to. */
export class ModelServer {
  readonly asked: AskedModel[] = [];
  /** Answers, one for each request; the last one for all later ones. */
  script: ModelScript[] = [];
  /** While it is set, answers wait for it. */
  held: Promise<void> | undefined;

  private constructor(
    readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<ModelServer> {
    const server = createServer((request, response) => void model.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const model: ModelServer = new ModelServer(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return model;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = { headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
    this.asked.push(asked);
    const next = this.script.length > 1 ? this.script.shift() : this.script[0];
    await this.held;
    const { status = 200, headers = {}, body } = next?.(asked) ?? { status: 500, body: {} };
    response.writeHead(request.url === '/v1/messages' ? status : 404, {
      'content-type': 'application/json',
      ...headers,
    });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}

const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 2 };

export const says =
  (text: string, stopReason = 'end_turn'): ModelScript =>
  () => ({ body: { content: [{ type: 'text', text }], stop_reason: stopReason, usage } });

export const uses =
  (...tools: readonly [name: string, input: object][]): ModelScript =>
  () => ({
    body: {
      content: [
        { type: 'text', text: 'Let me see.' },
        ...tools.map(([name, input], index) => ({ type: 'tool_use', id: `toolu_${index}`, name, input })),
      ],
      stop_reason: 'tool_use',
      usage,
    },
  });

export const fails =
  (status: number, type = 'api_error', headers: Record<string, string> = {}): ModelScript =>
  () => ({ status, headers, body: { type: 'error', error: { type, message: 'as asked for' } } });
