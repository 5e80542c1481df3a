import { SseParser, type SseOutput } from '@sluice/sse-protocol';
import { describeRefusal, readText, request } from '../api';
import { Backoff, pause } from '../backoff';
import { callerOf, type CommandContext } from '../context';
import { CliError, describeError } from '../errors';
import { eventLine } from '../event-line';
import { painter, printableJson } from '../printable';
import { describeEnd, describeReset, Refused } from './stream-notices';

export interface TailOptions {
  readonly family?: readonly string[];
  readonly entity?: readonly string[];
  /** Exact types, or prefixes followed by `.*`. */
  readonly types?: readonly string[];
  readonly cursor?: string;
  readonly workspace?: number;
  readonly json?: boolean;
}

/** A server that says nothing for this long is taken for dead: it can be told to send a heartbeat every 60 s at most. */
const SILENCE_TIMEOUT_MS = 90_000;

/** Longest event that is read: the largest one, with every character escaped. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/** Longest refusal that is read. */
const MAX_REFUSAL_BYTES = 4096;

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
    this.format = options.json === true ? printableJson : (json) => eventLine(json, paint);
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
    const { family, entity, types, cursor, workspace } = this.options;
    const response = await request(config.baseUrl, {
      path: '/v1/stream',
      query: {
        workspaceId: workspace,
        family: family?.join(','),
        entityId: entity?.join(','),
        types: types?.join(','),
        // After a break the place is that of the last event, not where it all began.
        cursor: this.lastEventId === '' ? (cursor ?? 'latest') : this.lastEventId,
      },
      ...callerOf(config, workspace),
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
      case 'event': {
        const end = describeEnd(output.type, output.data);
        if (end === undefined) await this.show(output.type, output.data);
        this.seen(output.lastEventId);
        if (end) throw end;
        return;
      }
      case 'mark':
        this.seen(output.lastEventId);
        return;
      case 'comment':
        this.backoff.reset();
        return;
      case 'retry':
        this.backoff.startAt(output.retryMs);
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
    const reset = describeReset(type, data);
    if (reset !== undefined) terminal.complain(reset);
    else await terminal.print(this.format(data));
  }
}

function chunksOf({ body }: Response): AsyncIterable<Uint8Array> {
  if (body === null) throw new CliError('The server answered nothing');
  return body;
}

async function refusalOf(response: Response): Promise<CliError> {
  const { status } = response;
  const { text } = await readText(response, MAX_REFUSAL_BYTES);
  const message = describeRefusal(status, text);
  return status === 429 || status >= 500 ? new CliError(message) : new Refused(message);
}
