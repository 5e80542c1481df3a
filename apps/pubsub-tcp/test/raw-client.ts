import { until } from '@sluice/event-log/conformance';
import { ReplyParser, toPlainReply, type PlainReply } from '@sluice/resp-protocol';
import { connect, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';

export interface ReceivedEvent {
  readonly id: string;
  readonly sandboxId: string;
  readonly cursor: string;
  readonly data: { readonly n: number };
}

/** A client that writes what it is told and keeps what it reads. */
export class RawClient {
  readonly socket: Socket;
  closed = false;
  /** The peer has sent FIN. */
  ended = false;
  error: (Error & { code?: string }) | undefined;
  /** RESP replies so far; empty when the server speaks lines. */
  readonly replies: PlainReply[] = [];
  /** All whole lines so far. */
  readonly lines: string[] = [];
  /** The lines that are events. */
  readonly events: ReceivedEvent[] = [];
  /** All that came, undecoded. */
  readonly chunks: Buffer[] = [];
  private readonly parser = new ReplyParser({ maxReplyBytes: 64 * 1024 * 1024 });
  private readonly decoder = new StringDecoder();
  private rest = '';
  private readLines = 0;

  constructor(port: number, options: { allowHalfOpen?: boolean; socket?: Socket } = {}) {
    this.socket =
      options.socket ??
      connect({ port, host: '127.0.0.1', allowHalfOpen: options.allowHalfOpen ?? false, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.read(chunk));
    this.socket.on('error', (error) => (this.error = error));
    this.socket.on('end', () => (this.ended = true));
    this.socket.on('close', () => (this.closed = true));
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** One RESP command. */
  command(...words: readonly string[]): void {
    const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.socket.write(`*${words.length}\r\n${bulks.join('')}`);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }

  get numbers(): number[] {
    return this.events.map(({ data }) => data.n);
  }

  /** The next line that was not yet asked for. */
  async line(): Promise<string> {
    const index = this.readLines++;
    await until(() => this.lines.length > index || this.closed, `line ${index}`);
    const line = this.lines[index];
    if (line === undefined) throw new Error(`closed before line ${index}: ${JSON.stringify(this.text)}`);
    return line;
  }

  async reply(index: number): Promise<PlainReply> {
    await until(() => this.replies.length > index || this.closed, `reply ${index}`);
    const reply = this.replies[index];
    if (reply === undefined) throw new Error(`closed before reply ${index}: ${JSON.stringify(this.text)}`);
    return reply;
  }

  whenNumbers(count: number): Promise<void> {
    return until(() => this.events.length >= count, `${count} events`);
  }

  whenClosed(): Promise<void> {
    return until(() => this.closed, 'the close');
  }

  /** The last line, once the server has closed in an orderly way. */
  async farewell(): Promise<string> {
    await until(() => this.ended || this.closed, 'the end');
    if (this.error) throw this.error;
    if (this.rest !== '') throw new Error(`ended within a line: ${JSON.stringify(this.rest.slice(-100))}`);
    return this.lines.at(-1) ?? '';
  }

  destroy(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    this.chunks.push(chunk);
    const lines = (this.rest + this.decoder.write(chunk)).split('\r\n');
    this.rest = lines.pop() ?? '';
    this.lines.push(...lines);
    for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line) as ReceivedEvent);
    for (const output of this.parser.feed(chunk)) {
      if (output.kind === 'reply') this.replies.push(toPlainReply(output.reply));
    }
  }
}

/** A line client that is subscribed. */
export async function subscribedClient(port: number, token: string, sandboxId = 'box-1', cursor?: string) {
  const client = new RawClient(port);
  client.send(['SUBSCRIBE', sandboxId, token, ...(cursor === undefined ? [] : [cursor])].join(' '));
  const answer = await client.line();
  if (!answer.startsWith('+OK subscribed')) throw new Error(answer);
  return { client, startCursor: answer.split(' ')[3] ?? '' };
}

export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
