import { Agent, request } from 'node:http';
import type { Journal } from './journal';
import { markText, type Mark } from './mark';

/** One request that stores one event, and the same one however often it is sent. */
export interface StoreCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

export interface WriterOptions {
  readonly entity: string;
  /** Least time between the beginnings of two events, in milliseconds. */
  readonly paceMs: number;
  /** What stores the event; looked at anew for each attempt, since addresses change. */
  readonly call: (mark: Mark, text: string) => StoreCall;
  readonly journal: Journal;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const RETRY_DELAY_MS = 100;
/** How long the last event is tried when the run ends. */
const LAST_EVENT_TIMEOUT_MS = 30_000;
const MAX_ANSWER_CHARS = 500;

/**
 * Stores the numbered events of one entity, one after the other: each under one idempotency key until it is acknowledged,
 * so that an event is only begun when the one before it is on the record.
 */
export class Writer {
  /** How many events it has begun to store. */
  attempted = 0;
  /** How many are acknowledged, which is told by the journal. */
  acknowledged = 0;
  /** Answers that no well-meaning server gives to a valid event. */
  readonly refusals: string[] = [];
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private endsAt = Number.POSITIVE_INFINITY;
  private work: Promise<void> | undefined;

  constructor(private readonly options: WriterOptions) {}

  get entity(): string {
    return this.options.entity;
  }

  start(): void {
    this.work ??= this.run();
  }

  /** Begins nothing new and waits for the event in hand, or gives it up. @throws what a journal throws */
  async stop(): Promise<void> {
    this.endsAt = Math.min(this.endsAt, performance.now());
    await this.work;
    this.agent.destroy();
  }

  private async run(): Promise<void> {
    while (this.endsAt === Number.POSITIVE_INFINITY) {
      const begunAt = performance.now();
      const mark = { entity: this.entity, n: this.attempted++ };
      if (!(await this.store(mark))) return;
      await this.options.journal.acknowledge(mark);
      this.acknowledged++;
      await pause(this.options.paceMs - (performance.now() - begunAt));
    }
  }

  /** True when it is acknowledged, false when the run ended before. */
  private async store(mark: Mark): Promise<boolean> {
    while (performance.now() < this.endsAt + LAST_EVENT_TIMEOUT_MS) {
      const answer = await this.send(this.options.call(mark, markText(mark)), `${mark.entity}/${mark.n}`);
      if (answer !== undefined && answer.status >= 200 && answer.status < 300) return true;
      if (answer !== undefined && answer.status < 500 && answer.status !== 429 && answer.status !== 408) {
        this.refusals.push(`${markText(mark)} ${answer.status} ${answer.text.slice(0, MAX_ANSWER_CHARS)}`);
        return false;
      }
      await pause(RETRY_DELAY_MS);
    }
    return false;
  }

  /** The answer, or undefined where none came whole. */
  private send({ url, headers, body }: StoreCall, key: string) {
    return new Promise<{ readonly status: number; readonly text: string } | undefined>((resolve) => {
      const none = () => resolve(undefined);
      const call = request(
        url,
        {
          method: 'POST',
          agent: this.agent,
          headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
          timeout: ATTEMPT_TIMEOUT_MS,
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', none);
          response.on('close', none);
        },
      );
      call.on('timeout', () => call.destroy());
      call.on('error', none).end(JSON.stringify(body));
    });
  }
}

function pause(delayMs: number): Promise<void> {
  return delayMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, delayMs));
}
