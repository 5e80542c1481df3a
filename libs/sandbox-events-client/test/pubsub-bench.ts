import { createPubSubClient, EventsPubSubError, type EventsPubSubClient, type PubSubClientConfig } from '../src/index';
import { ScriptedLineServer, type Peer } from './scripted-line-server';

/** A scripted server and the clients of one test; `usePubSubBench` registers its set-up and tear-down. */
export class PubSubBench {
  server = new ScriptedLineServer();
  private clients: EventsPubSubClient[] = [];

  async start(): Promise<void> {
    this.server = new ScriptedLineServer();
    await this.server.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.disconnect()));
    this.clients = [];
    await this.server.stop();
  }

  readonly makeClient = (config: Partial<PubSubClientConfig> = {}): EventsPubSubClient => {
    const client = createPubSubClient({
      host: '127.0.0.1',
      port: config.port ?? this.server.port,
      sandboxId: 'sandbox-123',
      accessToken: 'token',
      reconnectDelay: 2,
      ...config,
    });
    this.clients.push(client);
    return client;
  };

  /** Connects the client and answers for the server. */
  readonly subscribed = async (client: EventsPubSubClient, cursor = 'c0'): Promise<Peer> => {
    const connecting = client.connect();
    const { peer } = await this.accept(cursor);
    await connecting;
    return peer;
  };

  /** Takes the next connection, and tells how it subscribed. */
  readonly accept = async (cursor: string): Promise<{ peer: Peer; line: string }> => {
    const peer = await this.server.peer();
    const line = await peer.line();
    peer.send(`+OK subscribed sandbox-123 ${cursor}`);
    return { peer, line };
  };
}

export function usePubSubBench(): PubSubBench {
  const bench = new PubSubBench();
  beforeEach(() => bench.start());
  afterEach(() => bench.stop());
  return bench;
}

/** Everything that a client emits, in order, as short words. */
export function record(client: EventsPubSubClient): string[] {
  const log: string[] = [];
  client.on('event', (event) => log.push(event.id));
  client.on('connect', () => log.push('connect'));
  client.on('disconnect', () => log.push('disconnect'));
  client.on('error', (error) =>
    log.push(`error ${error instanceof EventsPubSubError ? (error.code ?? error.message) : ''}`),
  );
  client.on('reset', ({ cursor, reason }) => log.push(`reset ${cursor} ${reason}`));
  return log;
}
