import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { makeCallers, type Callers, type Presented } from './access-callers';
import { makeWorld, type OperationRequest, type World } from './access-world';
import { describedOperations, startDescribedProcess, type DescribedOperation } from './described-process';

/** What came back: of a stream the head alone. */
export interface Answer {
  readonly status: number;
  /** As it is written there: each form of errors has its own place and words for it. */
  readonly code: string;
  readonly headers: Headers;
  readonly text: string;
}

/** Doors that are asked by an upgrade. */
const SOCKETS: readonly string[] = ['/ws', '/v1/socket'];

export const nameOf = ({ method, path }: DescribedOperation): string => `${method} ${path}`;

/** The one process, with a caller of every kind and one of each thing that can be called by an id. */
export class AccessProcess {
  readonly operations = describedOperations();

  private constructor(
    private readonly running: Awaited<ReturnType<typeof startDescribedProcess>>,
    readonly callers: Callers,
    readonly world: World,
  ) {}

  static async start(): Promise<AccessProcess> {
    const running = await startDescribedProcess({
      SLUICE_LOOPBACK_WORKSPACE: '0',
      // Every caller has the one address.
      SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: '10000',
    });
    const callers = await makeCallers(running.url);
    const world = await makeWorld(async (target, body) => {
      const method = target.startsWith('GET ') ? 'GET' : 'POST';
      const path = target.replace('GET ', '');
      const answer = await sendTo(running.url, { method, path }, { path, query: '', body }, callers.good.admin);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return JSON.parse(answer.text);
    });
    return new AccessProcess(running, callers, world);
  }

  get pubSubPort(): number {
    return this.running.pubSubPort;
  }

  stop(): Promise<void> {
    return this.running.stop();
  }

  /** One request, on behalf of somebody. */
  ask(operation: DescribedOperation, request: OperationRequest, presented: Presented): Promise<Answer> {
    return sendTo(this.running.url, operation, request, presented);
  }
}

/** One request to a process, on behalf of somebody. */
export async function sendTo(
  url: string,
  operation: Pick<DescribedOperation, 'method' | 'path'>,
  { path, query, body }: OperationRequest,
  presented: Presented,
): Promise<Answer> {
  const both = [query.slice(1), presented.query ?? ''].filter((part) => part !== '').join('&');
  const target = `${url}${path}${both === '' ? '' : `?${both}`}`;
  if (SOCKETS.includes(operation.path)) return upgrade(target, presented);
  const isForm = body instanceof FormData;
  const answer = await fetch(target, {
    method: operation.method,
    headers: {
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      ...presented.headers,
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const { status, headers } = answer;
  if (status === 200 && headers.get('content-type')?.startsWith('text/event-stream') === true) {
    await answer.body?.cancel();
    return { status, code: '', headers, text: '' };
  }
  const text = await answer.text();
  return { status, code: codeOf(text), headers, text };
}

function upgrade(target: string, { headers = {} }: Presented): Promise<Answer> {
  const socket = new WebSocket(target.replace(/^http/, 'ws'), { headers });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('upgrade', (response: IncomingMessage) => {
      socket.off('error', reject).on('error', () => undefined);
      socket.terminate();
      resolve({ status: 101, code: '', headers: headersOf(response), text: '' });
    });
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, code: codeOf(text), headers: headersOf(response), text }),
      );
    });
  });
}

const headersOf = ({ headers }: IncomingMessage): Headers =>
  new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]));

function codeOf(text: string): string {
  if (!text.startsWith('{')) return '';
  const { code, error } = JSON.parse(text) as { code?: unknown; error?: { type?: unknown } };
  return String(code ?? error?.type ?? '');
}
