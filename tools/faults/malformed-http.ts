import { Agent, request, type IncomingMessage } from 'node:http';

const ANSWER_TIMEOUT_MS = 20_000;
/** More than any answer that is looked at. */
const MAX_ANSWER_CHARS = 100_000;

/** A request, as it is written to the connection. */
export interface HttpInput {
  readonly method: string;
  /** With its query; nothing of it is escaped any more. */
  readonly path: string;
  /** Undefined ones are left out; several values are several headers. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string | Buffer;
  /** Says that so many bytes come, and sends none but those of the body. */
  readonly declaredBytes?: number;
  /** The body is sent again and again, in chunks, until the answer comes or so many bytes are sent. */
  readonly endlessBytes?: number;
}

export interface HttpAnswer {
  /** `closed`: the connection ended without one. `no answer`: nothing came in time. */
  readonly status: number | 'closed' | 'no answer';
  readonly type: string;
  readonly text: string;
}

/** Sends requests over some connections. */
export class HttpSender {
  private readonly agent: Agent;

  constructor(
    private readonly baseUrl: string,
    connections: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Resolves, whatever happens. A stream is not read, an upgrade not used. */
  async send(input: HttpInput): Promise<HttpAnswer> {
    const { answer, isStale } = await this.attempt(input);
    // The server let go of an idle connection just then: nothing was sent on it.
    return isStale ? (await this.attempt(input)).answer : answer;
  }

  close(): void {
    this.agent.destroy();
  }

  private attempt({
    method,
    path,
    headers,
    body,
    declaredBytes,
    endlessBytes,
  }: HttpInput): Promise<{ answer: HttpAnswer; isStale: boolean }> {
    return new Promise((resolve) => {
      const settle = (answer: HttpAnswer, isStale = false) => {
        clearTimeout(timer);
        resolve({ answer, isStale });
      };
      const isPlain = declaredBytes === undefined && endlessBytes === undefined;
      const call = request(this.baseUrl, {
        method,
        path,
        agent: isPlain && headers['upgrade'] === undefined ? this.agent : false,
        headers: Object.fromEntries(
          Object.entries({
            ...headers,
            ...(declaredBytes !== undefined && { 'content-length': String(declaredBytes) }),
            ...(isPlain && body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
          }).filter((entry): entry is [string, string] => entry[1] !== undefined),
        ),
      });
      const timer = setTimeout(() => {
        settle({ status: 'no answer', type: '', text: '' });
        call.destroy();
      }, ANSWER_TIMEOUT_MS);
      call.on('upgrade', (response, socket) => {
        settle({ status: response.statusCode ?? 0, type: '', text: '' });
        socket.destroy();
      });
      call.on('response', (response) => {
        read(response, (answer) => {
          settle(answer);
          if (!isPlain) call.destroy();
        });
      });
      call.on('error', () => settle({ status: 'closed', type: '', text: '' }, call.reusedSocket));
      if (endlessBytes !== undefined && body !== undefined) pour(call, body, endlessBytes);
      else if (declaredBytes === undefined) call.end(body);
      else call.write(body ?? '');
    });
  }
}

function read(response: IncomingMessage, done: (answer: HttpAnswer) => void): void {
  const type = response.headers['content-type']?.split(';')[0] ?? '';
  const status = response.statusCode ?? 0;
  if (type === 'text/event-stream') {
    done({ status, type, text: '' });
    return void response.destroy();
  }
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < MAX_ANSWER_CHARS) text += chunk;
  });
  response.on('error', () => undefined).on('close', () => done({ status, type, text }));
}

function pour(call: ReturnType<typeof request>, chunk: string | Buffer, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !call.destroyed) {
      left -= Buffer.byteLength(chunk);
      if (!call.write(chunk)) return void call.once('drain', more);
    }
    if (!call.destroyed) call.end();
  };
  more();
}
