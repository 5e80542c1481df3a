import { SseParser } from '@sluice/sse-protocol';
import { z } from 'zod';
import {
  MAX_ANSWER_BYTES,
  MAX_SAID_LENGTH,
  ModelFailed,
  modelErrorSchema,
  parseJson,
  readAnswer,
  tooLong,
  unreadable,
  type AnswerListener,
  type ModelAnswer,
  type ModelErrorType,
} from './model-answer';

/** Most bytes of a stream: what is around a word is many times longer than the word. */
export const MAX_STREAM_BYTES = 16 * MAX_ANSWER_BYTES;

const index = z.int().min(0);

const eventSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('message_start'), message: z.looseObject({ usage: z.unknown() }) }),
  z.looseObject({
    type: z.literal('content_block_start'),
    index,
    content_block: z.looseObject({ type: z.string(), text: z.string().optional() }),
  }),
  z.looseObject({
    type: z.literal('content_block_delta'),
    index,
    delta: z.looseObject({ type: z.string(), text: z.string().optional(), partial_json: z.string().optional() }),
  }),
  z.looseObject({
    type: z.literal('message_delta'),
    delta: z.looseObject({ stop_reason: z.string().nullish() }),
    usage: z.unknown().optional(),
  }),
  z.looseObject({ type: z.literal('message_stop') }),
]);

type StreamEvent = z.output<typeof eventSchema>;

const READ_TYPES: ReadonlySet<unknown> = new Set(eventSchema.options.map(({ shape }) => shape.type.value));

interface Block {
  readonly start: Readonly<Record<string, unknown>> & { readonly type: string };
  text: string;
  json: string;
}

/** Puts an answer together that comes as a stream of server-sent events, and tells what is in it as it comes. */
export class StreamedAnswer {
  private readonly parser = new SseParser({ maxEventBytes: MAX_ANSWER_BYTES });
  private readonly blocks = new Map<number, Block>();
  private usage: object = {};
  private stopReason: string | null | undefined;
  private isOver = false;
  private streamBytes = 0;
  private answerBytes = 0;
  /** Text that the listener has not heard of. */
  private readonly news: { readonly block: number; text: string }[] = [];

  constructor(private readonly listener: AnswerListener) {}

  /** Takes the next part of the stream. Gives whether the answer is whole. @throws ModelFailed */
  take(chunk: Uint8Array): boolean {
    this.streamBytes += chunk.byteLength;
    if (this.streamBytes > MAX_STREAM_BYTES) throw tooLong();
    try {
      for (const output of this.parser.feed(chunk)) {
        if (output.kind === 'error') throw tooLong();
        if (output.kind === 'event' && !this.isOver) this.read(output.data);
      }
    } finally {
      // Also what came before a failure, however the stream is cut.
      for (const { block, text } of this.news.splice(0)) this.listener.onText(block, text);
    }
    return this.isOver;
  }

  /** @throws ModelFailed for one that broke off, and one that cannot be read */
  end(): ModelAnswer {
    // Endpoints that say why they stopped have stopped.
    if (!this.isOver && typeof this.stopReason !== 'string') {
      throw new ModelFailed('model_request_failed_error', 'The model broke off its answer', true);
    }
    const blocks = [...this.blocks].sort(([one], [other]) => one - other);
    return readAnswer({
      content: blocks.flatMap(([, block]) => this.contentOf(block)),
      stop_reason: this.stopReason,
      usage: this.usage,
    });
  }

  private read(data: string): void {
    const value = parseJson(data);
    const { type } = Object(value) as { readonly type?: unknown };
    if (type === 'error') throw failureOf(value);
    // Pings, and what is new.
    if (!READ_TYPES.has(type)) return;
    const parsed = eventSchema.safeParse(value);
    if (!parsed.success) throw unreadable();
    this.apply(parsed.data, data);
  }

  private apply(event: StreamEvent, data: string): void {
    switch (event.type) {
      case 'message_start':
        this.addUsage(event.message.usage);
        return;
      case 'content_block_start':
        return this.begin(event, data);
      case 'content_block_delta':
        return this.extend(event);
      case 'message_delta':
        this.stopReason = event.delta.stop_reason ?? this.stopReason;
        this.addUsage(event.usage);
        return;
      case 'message_stop':
        this.isOver = true;
    }
  }

  private begin({ index: number, content_block: start }: StreamEvent & { type: 'content_block_start' }, data: string) {
    if (this.blocks.has(number)) throw unreadable();
    this.count(data);
    this.blocks.set(number, { start, text: '', json: '' });
    if (start.type === 'thinking' || start.type === 'redacted_thinking') this.listener.onThinking();
    if (start.type === 'text') this.addText(number, start.text ?? '');
  }

  private extend({ index: number, delta }: StreamEvent & { type: 'content_block_delta' }): void {
    const block = this.blocks.get(number);
    if (!block) throw unreadable();
    const { type, text = '', partial_json: json = '' } = delta;
    if (type === 'text_delta') {
      this.count(text);
      this.addText(number, text);
    } else if (type === 'input_json_delta') {
      this.count(json);
      block.json += json;
    }
  }

  private addText(number: number, text: string): void {
    const block = this.blocks.get(number);
    if (!block || text === '') return;
    block.text += text;
    const last = this.news.at(-1);
    if (last?.block === number) last.text += text;
    else this.news.push({ block: number, text });
  }

  private addUsage(usage: unknown): void {
    // Each says all that was used by then, of what it names.
    this.usage = { ...this.usage, ...(usage as object | null | undefined) };
  }

  private count(text: string): void {
    this.answerBytes += Buffer.byteLength(text);
    if (this.answerBytes > MAX_ANSWER_BYTES) throw tooLong();
  }

  private contentOf({ start, text, json }: Block): readonly object[] {
    if (start.type === 'text') return [{ ...start, text }];
    if (start.type !== 'tool_use' || json === '') return [start];
    const input = parseJson(json);
    if (input !== undefined) return [{ ...start, input }];
    // A call that was cut off is none.
    if (this.stopReason === 'max_tokens') return [];
    throw unreadable();
  }
}

/** What `error.type` of a stream comes to; of types that are not here, none is known not to pass. */
const FAILURES: Readonly<Record<string, readonly [ModelErrorType, isPassing: boolean]>> = {
  overloaded_error: ['model_overloaded_error', true],
  rate_limit_error: ['model_rate_limited_error', true],
  billing_error: ['billing_error', false],
  invalid_request_error: ['model_request_failed_error', false],
  authentication_error: ['model_request_failed_error', false],
  permission_error: ['model_request_failed_error', false],
  not_found_error: ['model_request_failed_error', false],
  request_too_large: ['model_request_failed_error', false],
};

/** Errors whose words are about what was asked; those of others may be about the account of this server. */
const FOR_CALLERS: ReadonlySet<string | undefined> = new Set([
  'invalid_request_error',
  'not_found_error',
  'rate_limit_error',
  'request_too_large',
]);

function failureOf(value: unknown): ModelFailed {
  const { error } = modelErrorSchema.safeParse(value).data ?? {};
  const [type, isPassing] = FAILURES[error?.type ?? ''] ?? ['model_request_failed_error', true];
  const said = error?.message.slice(0, MAX_SAID_LENGTH);
  const shown = said !== undefined && FOR_CALLERS.has(error?.type) ? `: ${said}` : '';
  return new ModelFailed(type, `The model broke off its answer${shown}`, isPassing, undefined, said);
}
