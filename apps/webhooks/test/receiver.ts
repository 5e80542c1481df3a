import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly id: string;
}

/** How an application answers; `undefined` never does. */
export type Answering = (
  received: Received,
  count: number,
) => { status: number; headers?: Record<string, string>; body?: string } | undefined;

/** An application: a real HTTP server that keeps what it was sent. */
export async function startReceiver(answering: Answering = () => ({ status: 204 })) {
  const received: Received[] = [];
  const hanging: ServerResponse[] = [];
  let answer = answering;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const one = { headers: request.headers, body, id: String(request.headers['webhook-id']) };
      received.push(one);
      const answered = answer(one, received.length);
      if (answered === undefined) hanging.push(response);
      else response.writeHead(answered.status, answered.headers).end(answered.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    received,
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/hook`,
    ids: () => received.map(({ id }) => id),
    /** Answers what hangs. */
    release: () => {
      for (const response of hanging.splice(0)) response.writeHead(204).end();
    },
    answers: (next: Answering) => {
      answer = next;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
