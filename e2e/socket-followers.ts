import { WebSocket } from 'ws';
import { Follower, type FollowOptions } from './followers';

interface SocketMessage {
  readonly type: string;
  readonly cursor?: string;
  readonly code?: string;
  readonly reset?: unknown;
  readonly events?: readonly unknown[];
  readonly data?: { readonly cursor?: string; readonly payload?: unknown };
}

/** What both WebSocket doors share: a text of JSON each way, and a close code in the end. */
abstract class WebSocketFollower extends Follower {
  private socket: WebSocket | undefined;

  protected abstract address(): string;
  protected abstract greet(socket: WebSocket): void;
  protected abstract receive(socket: WebSocket, message: SocketMessage): void;

  protected open(onEnd: () => void): void {
    const { baseUrl, apiKey } = this.options.target();
    const url = `${baseUrl.replace('http', 'ws')}${this.address()}`;
    const socket = new WebSocket(url, { headers: { 'x-api-key': apiKey } });
    this.socket = socket;
    socket.on('open', () => this.greet(socket));
    socket.on('message', (data: Buffer) => this.receive(socket, JSON.parse(data.toString()) as SocketMessage));
    socket.on('error', onEnd).on('close', (code) => {
      // A replica that is not there yet refuses: that ends nothing.
      if (this.isOpen) this.ends.push(String(code));
      onEnd();
    });
  }

  protected drop(): void {
    this.socket?.terminate();
  }

  protected stall(isStalled: boolean): void {
    if (isStalled) this.socket?.pause();
    else this.socket?.resume();
  }
}

/** Codes by which a subscription ends and its connection goes on, which is of no use to us then. */
const ENDED_ALONE: ReadonlySet<string> = new Set(['slow_subscriber', 'read_model_unavailable']);

/** `/v1/socket`, one subscription with credit. */
export class SocketFollower extends WebSocketFollower {
  constructor(
    options: FollowOptions,
    private readonly filter: object = {},
  ) {
    super(options);
  }

  protected address(): string {
    return '/v1/socket';
  }

  protected greet(socket: WebSocket): void {
    const place = this.cursor === '' ? {} : { cursor: this.cursor };
    socket.send(JSON.stringify({ type: 'subscribe', id: 's', filter: this.filter, credit: 100, ...place }));
  }

  protected receive(socket: WebSocket, message: SocketMessage): void {
    if (message.type === 'subscribed') this.isOpen = true;
    if (message.type === 'ended' && ENDED_ALONE.has(message.code ?? '')) {
      this.ends.push(message.code ?? '');
      this.isOpen = false;
      return socket.terminate();
    }
    if (message.type === 'reset' || message.reset !== undefined) this.resets++;
    const events = message.events ?? [];
    for (const event of events) this.options.onEvent(JSON.stringify(event));
    if (message.cursor !== undefined) this.cursor = message.cursor;
    if (events.length > 0) socket.send(JSON.stringify({ type: 'credit', id: 's', events: events.length }));
  }
}

/** `/ws`, in the dialect of the workspace. */
export class WorkspaceSocketFollower extends WebSocketFollower {
  protected address(): string {
    return this.cursor === '' ? '/ws' : `/ws?cursor=${encodeURIComponent(this.cursor)}`;
  }

  protected greet(): void {
    this.isOpen = true;
  }

  protected receive(_socket: WebSocket, { type, data }: SocketMessage): void {
    if (type === 'Reset') this.resets++;
    if (type === 'Event') this.options.onEvent(JSON.stringify(data?.payload));
    if (data?.cursor !== undefined) this.cursor = data.cursor;
  }
}
