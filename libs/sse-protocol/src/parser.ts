import { LineSplitter } from './line-splitter';

const BYTE_ORDER_MARK = '\ufeff';

/** Most bytes of the lines of one event, the unfinished line included. */
export const DEFAULT_MAX_EVENT_BYTES = 1024 * 1024;

/** What {@link SseParser.feed} gives, in the order of the stream. */
export type SseOutput =
  /** `type` is `message` when the server named none. */
  | { readonly kind: 'event'; readonly type: string; readonly data: string; readonly lastEventId: string }
  /** The last event id moved on without an event. */
  | { readonly kind: 'mark'; readonly lastEventId: string }
  | { readonly kind: 'retry'; readonly retryMs: number }
  | { readonly kind: 'comment'; readonly text: string }
  /** The last output of a parser: reconnect, or give up. */
  | { readonly kind: 'error'; readonly code: 'event-too-long'; readonly message: string };

export interface SseParserOptions {
  /** What `Last-Event-ID` was when the connection was made; empty by default. */
  readonly lastEventId?: string;
  /** {@link DEFAULT_MAX_EVENT_BYTES} by default. */
  readonly maxEventBytes?: number;
}

/**
 * Client side of one response, by the rules of the WHATWG HTML standard: bytes or text in, events out.
 * The outputs do not depend on how the input is cut. Never throws; an event that the response leaves unfinished never comes out.
 */
export class SseParser {
  readonly #maxEventBytes: number;
  readonly #lines = new LineSplitter();
  #atStart = true;
  #failed = false;
  #highSurrogate = '';
  #lastEventId: string;
  #id: string;
  #type = '';
  #data: string[] = [];
  #eventBytes = 0;

  constructor({ lastEventId = '', maxEventBytes = DEFAULT_MAX_EVENT_BYTES }: SseParserOptions = {}) {
    this.#lastEventId = this.#id = lastEventId;
    this.#maxEventBytes = maxEventBytes;
  }

  /** What to send as `Last-Event-ID` when reconnecting now. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Bytes kept for the unfinished event; at most `maxEventBytes`. */
  get bufferedBytes(): number {
    return this.#eventBytes + this.#lines.pendingBytes;
  }

  /** Takes the next part of the response, as bytes or as text, but not both in turn within one line. */
  feed(chunk: Uint8Array | string): SseOutput[] {
    const outputs: SseOutput[] = [];
    if (this.#failed) return outputs;
    this.#lines.push(typeof chunk === 'string' ? this.#toBytes(chunk) : chunk);
    for (let line = this.#lines.nextLine(); line !== undefined; line = this.#lines.nextLine()) {
      if (this.#eventBytes + line.length > this.#maxEventBytes) return this.#fail(outputs);
      const output = this.#readLine(line);
      if (output !== undefined) outputs.push(output);
    }
    return this.bufferedBytes > this.#maxEventBytes ? this.#fail(outputs) : outputs;
  }

  #readLine(bytes: Uint8Array): SseOutput | undefined {
    let line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    if (this.#atStart && line.startsWith(BYTE_ORDER_MARK)) line = line.slice(1);
    this.#atStart = false;
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (colon === 0) return { kind: 'comment', text: value };
    const output = this.#readField(colon < 0 ? line : line.slice(0, colon), value);
    if (output === undefined) this.#eventBytes += bytes.length;
    return output;
  }

  #readField(field: string, value: string): SseOutput | undefined {
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value) && Number.isSafeInteger(Number(value))) {
      return { kind: 'retry', retryMs: Number(value) };
    }
    return undefined;
  }

  #dispatch(): SseOutput | undefined {
    const moved = this.#id !== this.#lastEventId;
    const lastEventId = (this.#lastEventId = this.#id);
    const type = this.#type || 'message';
    const data = this.#data;
    this.#clearEvent();
    if (data.length > 0) return { kind: 'event', type, data: data.join('\n'), lastEventId };
    return moved ? { kind: 'mark', lastEventId } : undefined;
  }

  #clearEvent(): void {
    this.#type = '';
    this.#data = [];
    this.#eventBytes = 0;
  }

  #fail(outputs: SseOutput[]): SseOutput[] {
    this.#failed = true;
    this.#clearEvent();
    this.#lines.clear();
    const message = `event longer than ${this.#maxEventBytes} bytes`;
    return [...outputs, { kind: 'error', code: 'event-too-long', message }];
  }

  /** Text may be cut inside a surrogate pair: the first half waits for the second. */
  #toBytes(chunk: string): Uint8Array {
    const text = this.#highSurrogate + chunk;
    const isCut = /[\ud800-\udbff]$/.test(text);
    this.#highSurrogate = isCut ? text.slice(-1) : '';
    return Buffer.from(isCut ? text.slice(0, -1) : text);
  }
}
