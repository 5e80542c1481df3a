import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** One request as it came. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether it was answered with 2xx. */
  readonly isTaken: boolean;
}

/** An application that is told by webhooks: it keeps what comes, and fails now and then. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** Told of each request that is answered with 2xx; without it, requests are kept in `received`. */
  onTaken: ((webhook: ReceivedWebhook) => void) | undefined;
  private requests = 0;

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  /** @param isTaken says of the n-th request whether it is answered with 2xx; the others are answered with 503 */
  static async start(isTaken: (n: number) => boolean = () => true): Promise<WebhookReceiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        const taken = isTaken(receiver.requests++);
        const webhook = { path, headers, body: Buffer.concat(chunks).toString('utf8'), isTaken: taken };
        if (receiver.onTaken === undefined) receiver.received.push(webhook);
        else if (taken) receiver.onTaken(webhook);
        response.writeHead(taken ? 204 : 503).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return receiver;
  }

  /** What came under a path. */
  at(path: string): readonly ReceivedWebhook[] {
    return this.received.filter((each) => each.path === path);
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
