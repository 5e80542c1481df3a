import { request as httpRequest, type IncomingMessage } from 'node:http';
import { until } from '@sluice/event-log/conformance';
import { SseParser, type SseOutput } from '@sluice/sse-protocol';

/** Parsed JSON, which tests may look into. */
export type Json = ReturnType<typeof JSON.parse>;

export interface OpenOptions {
  readonly key?: string;
  readonly bearer?: string;
  readonly lastEventId?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

const MAX_TEXT_LENGTH = 1_000_000;

const isRecorded = (output: SseOutput) => output.kind === 'event' && output.type !== 'reset' && output.type !== 'end';

/** One response, read as a stream of server-sent events. */
export class SseClient {
  readonly outputs: SseOutput[] = [];
  /** What came first, as text. */
  text = '';
  isClosed = false;
  private readonly parser: SseParser;

  private constructor(
    private readonly response: IncomingMessage,
    lastEventId: string,
  ) {
    this.parser = new SseParser({ lastEventId });
    response.on('data', (chunk: Buffer) => {
      if (this.text.length < MAX_TEXT_LENGTH) this.text += chunk.toString('utf8');
      this.outputs.push(...this.parser.feed(chunk));
    });
    response.on('error', () => undefined);
    response.on('close', () => (this.isClosed = true));
  }

  /** Resolves when the head of the answer is there, whatever its status. */
  static open(baseUrl: string, path: string, options: OpenOptions = {}): Promise<SseClient> {
    const { key, bearer, lastEventId, method = 'GET' } = options;
    const headers = {
      ...(key === undefined ? {} : { 'x-api-key': key }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      ...options.headers,
    };
    const { hostname, port } = new URL(baseUrl);
    return new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) =>
        resolve(new SseClient(response, lastEventId ?? '')),
      );
      request.on('error', reject);
      request.end();
    });
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  get headers(): IncomingMessage['headers'] {
    return this.response.headers;
  }

  header(name: string): string | undefined {
    const value = this.response.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Whether the answer came to its proper end. */
  get isComplete(): boolean {
    return this.response.complete;
  }

  get lastEventId(): string {
    return this.parser.lastEventId;
  }

  get retryMs(): number | undefined {
    const output = this.outputs.find(({ kind }) => kind === 'retry');
    return output?.kind === 'retry' ? output.retryMs : undefined;
  }

  /** The JSON of all events of these types, in order; of all but `reset` and `end` when none is named. */
  data(...types: string[]): Json[] {
    return this.outputs.flatMap((output) => {
      if (output.kind !== 'event') return [];
      const isWanted = types.length > 0 ? types.includes(output.type) : isRecorded(output);
      return isWanted ? [JSON.parse(output.data)] : [];
    });
  }

  get positions(): number[] {
    return this.data().map(({ position }) => position);
  }

  get comments(): number {
    return this.outputs.filter(({ kind }) => kind === 'comment').length;
  }

  /** The whole body, parsed, of an answer that is no stream. */
  async json(): Promise<Json> {
    await this.closed();
    return JSON.parse(this.text);
  }

  receives(count: number): Promise<void> {
    return until(() => this.outputs.filter(isRecorded).length >= count, `${count} events arrive`);
  }

  /** Waits for so many outputs of a kind. */
  reaches(count: number, isWanted: (output: SseOutput) => boolean): Promise<void> {
    return until(() => this.outputs.filter(isWanted).length >= count, `${count} arrive`);
  }

  /** Waits for so many events of one type. */
  has(type: string, count = 1): Promise<void> {
    return until(() => this.data(type).length >= count, `${count} ${type} arrive`);
  }

  closed(): Promise<void> {
    return until(() => this.isClosed, 'the connection is closed');
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  /** Leaves without a word. */
  destroy(): void {
    this.response.destroy();
  }
}
