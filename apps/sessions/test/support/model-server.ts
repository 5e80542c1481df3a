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
  readonly body?: object | string;
  /** In place of a body: server-sent events, one after the other; one that is a promise is waited for, and not sent. */
  readonly stream?: readonly (StreamedEvent | Promise<unknown>)[];
};

interface StreamedEvent {
  readonly type: string;
  readonly [name: string]: unknown;
}

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
    const { status = 200, headers = {}, body, stream } = next?.(asked) ?? { status: 500, body: {} };
    response.writeHead(request.url === '/v1/messages' ? status : 404, {
      'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json',
      ...headers,
    });
    for (const part of stream ?? []) {
      if (part instanceof Promise) await part;
      else response.write(`event: ${part.type}\ndata: ${JSON.stringify(part)}\n\n`);
    }
    if (stream) response.end();
    else response.end(typeof body === 'string' ? body : JSON.stringify(body));
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

type Words = string | Promise<unknown>;

/** An answer that comes as a stream: it thinks, says these words, one after the other, and uses these tools. */
export const streams =
  (words: readonly Words[], tools: readonly [name: string, input: object][] = []): ModelScript =>
  () => ({
    stream: [...textOf(words), ...tools.flatMap(toolOf), ...endOf(tools.length > 0 ? 'tool_use' : 'end_turn')],
  });

/** A stream that says these words, and then `error`, or breaks off. */
export const breaksOff =
  (words: readonly Words[], error?: string): ModelScript =>
  () => ({
    stream: [
      ...textOf(words),
      ...(error === undefined ? [] : [{ type: 'error', error: { type: error, message: 'why' } }]),
    ],
  });

const textOf = (words: readonly Words[]) => [
  { type: 'message_start', message: { usage: { ...usage, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  ...words.map((text) =>
    typeof text === 'string' ? { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text } } : text,
  ),
];

const toolOf = ([name, input]: readonly [string, object], at: number) => {
  const index = at + 2;
  const json = JSON.stringify(input);
  const partOf = (part: string) => ({ type: 'input_json_delta', partial_json: part });
  return [
    { type: 'content_block_start', index, content_block: { type: 'tool_use', id: `toolu_${at}`, name, input: {} } },
    { type: 'content_block_delta', index, delta: partOf(json.slice(0, 3)) },
    { type: 'content_block_delta', index, delta: partOf(json.slice(3)) },
    { type: 'content_block_stop', index },
  ];
};

const endOf = (stopReason: string) => [
  { type: 'message_delta', delta: { stop_reason: stopReason }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];
