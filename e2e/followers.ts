import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { SseParser } from '@sluice/sse-protocol';

/** Where followers connect, and as whom; looked at anew for each connection. */
export interface FollowTarget {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly pubsub: { readonly host: string; readonly port: number };
}

export interface FollowOptions {
  readonly target: () => FollowTarget;
  /** Told of each event as its door wrote it. */
  readonly onEvent: (json: string) => void;
  /** Where the first connection begins; what comes from then on where it is absent. */
  readonly from?: 'earliest';
}

const RECONNECT_DELAY_MS = 50;

/** A subscriber that comes back to whichever replica answers, with the cursor of the last event that it saw whole. */
export abstract class Follower {
  /** Why streams that were open ended, as they were told. */
  readonly ends: string[] = [];
  resets = 0;
  /** How often it has connected. */
  connections = 0;
  isOpen = false;
  protected cursor: string;
  private isClosed = false;

  constructor(protected readonly options: FollowOptions) {
    this.cursor = options.from ?? '';
  }

  protected abstract open(onEnd: () => void): void;
  protected abstract drop(): void;
  /** Stops reading the connection as it is now, or reads on. */
  protected abstract stall(isStalled: boolean): void;

  start(): void {
    if (this.isClosed) return;
    let hasEnded = false;
    this.connections++;
    this.open(() => {
      if (hasEnded) return;
      hasEnded = true;
      this.isOpen = false;
      setTimeout(() => this.start(), RECONNECT_DELAY_MS);
    });
  }

  /** Breaks the connection off; the follower comes back. */
  cut(): void {
    this.drop();
  }

  /** Reads nothing more of its connection, as a client that is busy. */
  pause(): void {
    this.stall(true);
  }

  resume(): void {
    this.stall(false);
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }
}

/** A door of server-sent events, resumed by `Last-Event-ID`. */
export class SseFollower extends Follower {
  private call: ClientRequest | undefined;
  private response: IncomingMessage | undefined;

  /** @param path with its query, for instance `/v1/stream?family=sandbox` */
  constructor(
    options: FollowOptions,
    private readonly path = '/v1/stream',
  ) {
    super(options);
  }

  protected open(onEnd: () => void): void {
    const { baseUrl, apiKey } = this.options.target();
    const isFirst = this.cursor === '' || this.cursor === 'earliest';
    const headers = { 'x-api-key': apiKey, ...(isFirst ? {} : { 'last-event-id': this.cursor }) };
    // The one parameter of it that every door has.
    const begin = this.cursor === 'earliest' ? `${this.path.includes('?') ? '&' : '?'}lastEventId=earliest` : '';
    const call = request(`${baseUrl}${this.path}${begin}`, { headers, agent: false }, (response) => {
      this.response = response.on('error', onEnd).on('close', onEnd);
      if (response.statusCode !== 200) return void response.resume();
      const parser = new SseParser({ lastEventId: isFirst ? '' : this.cursor });
      response.on('data', (chunk: Buffer) => {
        for (const output of parser.feed(chunk)) {
          if (output.kind === 'event') this.receive(output.type, output.data);
        }
        if (parser.lastEventId === '') return;
        this.cursor = parser.lastEventId;
        this.isOpen = true;
      });
    });
    this.call = call;
    call.on('error', onEnd).end();
  }

  protected drop(): void {
    this.call?.destroy();
  }

  protected stall(isStalled: boolean): void {
    if (isStalled) this.response?.pause();
    else this.response?.resume();
  }

  private receive(name: string, data: string): void {
    if (name === 'reset') this.resets++;
    else if (name === 'end') this.ends.push((JSON.parse(data) as { code: string }).code);
    else this.options.onEvent(data);
  }
}
