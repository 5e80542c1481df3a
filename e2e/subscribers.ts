import { request, type ClientRequest } from 'node:http';
import { connect, type Socket } from 'node:net';

/** What both doors tell of an event. */
export interface SeenEvent {
  readonly id: string;
  readonly sandboxId: string;
  readonly data: unknown;
}

/**
 * A subscriber whose connection is cut after so many events, many times, in the middle of whatever just arrived. It comes
 * back with the cursor of the last event that it saw whole.
 */
export abstract class CutSubscriber {
  readonly seen: SeenEvent[] = [];
  /** Faults that the door told, such as a reset; a test expects none. */
  readonly faults: string[] = [];
  cuts = 0;
  protected cursor = 'earliest';
  private isClosed = false;
  private rest = '';
  private generation = 0;

  /** @param cutAfter the numbers of seen events after which it is cut, ascending */
  constructor(private readonly cutAfter: readonly number[]) {}

  protected abstract open(onChunk: (text: string) => void, onEnd: () => void): void;
  protected abstract drop(): void;
  /** Reads one line; returns the event where the line completes one. */
  protected abstract readLine(line: string): SeenEvent | undefined;

  start(): void {
    if (this.isClosed) return;
    const generation = ++this.generation;
    this.rest = '';
    const isCurrent = (): boolean => generation === this.generation && !this.isClosed;
    this.open(
      (text) => {
        if (isCurrent()) this.read(text, isCurrent);
      },
      () => {
        // The server may be away: it is asked again after a moment, not in a tight loop.
        if (isCurrent()) setTimeout(() => isCurrent() && this.start(), RECONNECT_DELAY_MS);
      },
    );
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }

  private read(text: string, isCurrent: () => boolean): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.readLine(line.replace(/\r$/, ''));
      if (!event) continue;
      this.seen.push(event);
      if (this.seen.length === this.cutAfter[this.cuts]) {
        this.cuts++;
        this.drop();
        this.start();
      }
      // What came behind the cut was not seen.
      if (!isCurrent()) return;
    }
  }
}

const RECONNECT_DELAY_MS = 50;

/** `GET /v1/stream`, resumed with `Last-Event-ID`. */
export class SseSubscriber extends CutSubscriber {
  private call: ClientRequest | undefined;
  private id: string | undefined;
  private event: string | undefined;

  constructor(
    private readonly target: () => { readonly baseUrl: string; readonly apiKey: string },
    cutAfter: readonly number[],
  ) {
    super(cutAfter);
  }

  protected open(onChunk: (text: string) => void, onEnd: () => void): void {
    const { baseUrl, apiKey } = this.target();
    const place = this.cursor === 'earliest' ? '?cursor=earliest' : '';
    const headers = { 'x-api-key': apiKey, ...(place === '' ? { 'last-event-id': this.cursor } : {}) };
    this.call = request(`${baseUrl}/v1/stream${place}`, { headers, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', onChunk).on('close', onEnd).on('error', onEnd);
    });
    this.call.on('error', onEnd).end();
  }

  protected drop(): void {
    this.call?.destroy();
  }

  protected readLine(line: string): SeenEvent | undefined {
    if (line.startsWith('id: ')) this.id = line.slice(4);
    if (line.startsWith('event: ')) this.event = line.slice(7);
    if (line === '') this.event = undefined;
    if (!line.startsWith('data: ')) return undefined;
    if (this.event === 'reset' || this.event === 'end') {
      this.faults.push(line);
      return undefined;
    }
    const { id, entityId, data } = JSON.parse(line.slice(6)) as { id: string; entityId: string; data: unknown };
    this.cursor = this.id ?? this.cursor;
    return { id, sandboxId: entityId, data };
  }
}

/** The line protocol of one sandbox, resumed with the cursor of the last event. */
export class TcpSubscriber extends CutSubscriber {
  private socket: Socket | undefined;

  constructor(
    private readonly target: () => { readonly host: string; readonly port: number; readonly accessToken: string },
    private readonly sandboxId: string,
    cutAfter: readonly number[],
  ) {
    super(cutAfter);
  }

  protected open(onChunk: (text: string) => void, onEnd: () => void): void {
    const { host, port, accessToken } = this.target();
    const socket = connect({ host, port });
    this.socket = socket;
    socket
      .setEncoding('utf8')
      .on('error', () => undefined)
      .on('close', onEnd)
      .on('data', onChunk);
    socket.write(`SUBSCRIBE ${this.sandboxId} ${accessToken} ${this.cursor}\r\n`);
  }

  protected drop(): void {
    this.socket?.destroy();
  }

  protected readLine(line: string): SeenEvent | undefined {
    if (/reset/i.test(line) && !line.startsWith('{')) this.faults.push(line);
    if (!line.startsWith('{')) return undefined;
    const event = JSON.parse(line) as SeenEvent & { readonly cursor: string };
    this.cursor = event.cursor;
    return event;
  }
}
