import { SseParser, type SseOutput } from '@sluice/sse-protocol';
import { describeRefusal, request } from '../api';
import { Backoff, pause } from '../backoff';
import { readKeyOf, type CommandContext } from '../context';
import { CliError, describeError } from '../errors';
import { eventLine } from '../event-line';
import { painter, printable } from '../printable';

export interface TailOptions {
  readonly family?: string;
  readonly entity?: string;
  readonly type?: readonly string[];
  readonly cursor?: string;
  readonly workspace?: number;
  readonly json?: boolean;
}

/** A server that says nothing for this long, not even a heartbeat, is taken for dead. */
const SILENCE_TIMEOUT_MS = 60_000;

/** Longest event that is read: the largest one, with every character escaped. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/** Longest refusal that is read. */
const MAX_REFUSAL_CHARS = 4096;

/** Prints events as they come, until it is stopped. A lost connection is taken up again where it broke off. */
export async function tail(context: CommandContext, options: TailOptions): Promise<void> {
  await new Tail(context, options).run();
}

class Tail {
  private readonly backoff = new Backoff();
  private readonly format: (json: string) => string;
  private lastEventId = '';
  private hasConnected = false;

  constructor(
    private readonly context: CommandContext,
    private readonly options: TailOptions,
  ) {
    const { terminal, config } = context;
    const paint = painter(terminal.isTerminal && config.mayColour);
    this.format = options.json === true ? (json) => json : (json) => eventLine(json, paint);
  }

  async run(): Promise<void> {
    const { stopped } = this.context.terminal;
    while (!stopped.aborted) {
      const reason = await this.followOnce().catch((error: unknown) => {
        // Nothing was ever there to come back to, or the server will refuse the next attempt as well.
        if (!this.hasConnected || error instanceof Refused) throw error;
        return describeError(error);
      });
      if (stopped.aborted) return;
      const delayMs = this.backoff.next();
      this.context.terminal.complain(`${reason}; connecting again in ${(delayMs / 1000).toFixed(1)} s`);
      await pause(delayMs, stopped);
    }
  }

  /** One connection, from its request to its end. Gives why it ended. */
  private async followOnce(): Promise<string> {
    const silence = new AbortController();
    const { stopped } = this.context.terminal;
    const signal = AbortSignal.any([stopped, silence.signal]);
    let timer = setTimeout(() => silence.abort(), SILENCE_TIMEOUT_MS);
    try {
      const response = await this.open(signal);
      const parser = new SseParser({ lastEventId: this.lastEventId, maxEventBytes: MAX_EVENT_BYTES });
      for await (const chunk of chunksOf(response)) {
        clearTimeout(timer);
        for (const output of parser.feed(chunk)) await this.handle(output);
        if (stopped.aborted) return 'Stopped';
        timer = setTimeout(() => silence.abort(), SILENCE_TIMEOUT_MS);
      }
      return 'The server ended the stream';
    } catch (error) {
      if (stopped.aborted) return 'Stopped';
      if (silence.signal.aborted) throw new CliError(`Nothing was heard for ${SILENCE_TIMEOUT_MS / 1000} s`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private async open(signal: AbortSignal): Promise<Response> {
    const { config } = this.context;
    const { family, entity, type, cursor, workspace } = this.options;
    const response = await request(config.baseUrl, {
      path: '/v1/stream',
      query: {
        workspaceId: workspace,
        family,
        entityId: entity,
        types: type === undefined || type.length === 0 ? undefined : type.join(','),
        // After a break the place is that of the last event, not where it all began.
        cursor: this.lastEventId === '' ? (cursor ?? 'latest') : this.lastEventId,
      },
      key: readKeyOf(config),
      headers: {
        Accept: 'text/event-stream',
        ...(this.lastEventId === '' ? {} : { 'Last-Event-ID': this.lastEventId }),
      },
      signal,
    });
    if (!response.ok) throw await refusalOf(response);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      await response.body?.cancel();
      throw new Refused(`${config.baseUrl} answered no event stream; is it Sluice?`);
    }
    this.hasConnected = true;
    return response;
  }

  private async handle(output: SseOutput): Promise<void> {
    switch (output.kind) {
      case 'event':
        await this.show(output.type, output.data);
        this.seen(output.lastEventId);
        return;
      case 'mark':
        this.seen(output.lastEventId);
        return;
      case 'comment':
        this.backoff.reset();
        return;
      case 'retry':
        return;
      case 'error':
        throw new CliError(output.message);
    }
  }

  /** Only what was printed counts as seen. */
  private seen(lastEventId: string): void {
    this.lastEventId = lastEventId;
    this.backoff.reset();
  }

  private async show(type: string, data: string): Promise<void> {
    const { terminal } = this.context;
    if (CONTROL_EVENTS.has(type) && !isRecorded(data)) terminal.complain(`${type}: ${printable(data)}`);
    else await terminal.print(this.format(data));
  }
}

/** Names of events of the stream itself. Types are free, so that a recorded event may be called so too. */
const CONTROL_EVENTS: ReadonlySet<string> = new Set(['reset', 'error', 'message']);

function isRecorded(data: string): boolean {
  try {
    return typeof (Object(JSON.parse(data)) as Record<string, unknown>)['position'] === 'number';
  } catch {
    return false;
  }
}

function chunksOf({ body }: Response): AsyncIterable<Uint8Array> {
  if (body === null) throw new CliError('The server answered nothing');
  return body;
}

/** An answer that the next attempt would be given too. */
class Refused extends CliError {}

async function refusalOf(response: Response): Promise<CliError> {
  const { status } = response;
  const text = (await response.text()).slice(0, MAX_REFUSAL_CHARS);
  const message = describeRefusal(status, text);
  return status === 429 || status >= 500 ? new CliError(message) : new Refused(message);
}
