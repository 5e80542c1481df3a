import { connect, type Socket } from 'node:net';
import { ReplyParser, toPlainReply } from '@sluice/resp-protocol';
import { Follower, type FollowOptions } from './followers';

/** What both dialects of the TCP port share: one sandbox, and a socket whose bytes are replies. */
abstract class TcpFollower extends Follower {
  private socket: Socket | undefined;

  constructor(
    options: FollowOptions,
    protected readonly sandboxId: string,
  ) {
    super(options);
  }

  protected abstract greeting(): string;
  /** @returns the JSON of the event, if it is one */
  protected abstract read(reply: unknown): string | undefined;

  protected open(onEnd: () => void): void {
    const parser = new ReplyParser();
    const socket = connect(this.options.target().pubsub);
    this.socket = socket;
    socket.on('error', () => undefined).on('close', onEnd);
    socket.on('data', (chunk: Buffer) => {
      for (const output of parser.feed(chunk)) {
        if (output.kind === 'error') return void socket.destroy();
        const { reply } = output;
        if (reply.type === 'error') this.ends.push(reply.value.replace(/^ERR /, '').split(' ')[0] ?? '');
        const json = this.read(toPlainReply(reply));
        if (json !== undefined) this.receive(json);
      }
    });
    socket.write(this.greeting());
  }

  protected drop(): void {
    this.socket?.destroy();
  }

  protected stall(isStalled: boolean): void {
    if (isStalled) this.socket?.pause();
    else this.socket?.resume();
  }

  private receive(json: string): void {
    const { cursor, reset } = JSON.parse(json) as { cursor?: string; reset?: { cursor: string } };
    if (reset !== undefined) this.resets++;
    else this.options.onEvent(json);
    this.cursor = reset?.cursor ?? cursor ?? this.cursor;
  }
}

/** The line protocol. */
export class LineFollower extends TcpFollower {
  protected greeting(): string {
    return `SUBSCRIBE ${this.sandboxId} ${this.options.target().apiKey} ${this.cursor || 'latest'}\r\n`;
  }

  protected read(reply: unknown): string | undefined {
    if (typeof reply !== 'string') return undefined;
    if (reply.startsWith('{')) return reply;
    const [word, place] = reply.split(' ');
    if (word === 'OK') this.isOpen = true;
    if (word === 'RESET') this.resets++;
    if ((word === 'CURSOR' || word === 'RESET') && place !== undefined) this.cursor = place;
    return undefined;
  }
}

/** RESP2, as any Redis client, with the cursor in the name of the channel. */
export class RespFollower extends TcpFollower {
  protected greeting(): string {
    const channel = `sandbox:${this.sandboxId}@${this.cursor || 'latest'}`;
    return command('AUTH', this.options.target().apiKey) + command('SUBSCRIBE', channel);
  }

  protected read(reply: unknown): string | undefined {
    if (!Array.isArray(reply)) return undefined;
    const [kind, , content] = reply as unknown[];
    if (kind === 'subscribe') this.isOpen = true;
    return kind === 'message' ? String(content) : undefined;
  }
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
