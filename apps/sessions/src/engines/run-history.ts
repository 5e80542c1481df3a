import type { SessionEventRecord, SessionEvents } from '@sluice/projections';
import type { FileContents } from './file-contents';

export type HistoryEvent = Readonly<Record<string, unknown>>;

export interface RunHistoryPorts {
  readonly events: Pick<SessionEvents, 'list'>;
  readonly files: Pick<FileContents, 'expand'>;
}

/** Most events that are looked back to. */
export const MAX_HISTORY_EVENTS = 5_000;

/** No further page is read back after so many characters of JSON. */
const MAX_HISTORY_LENGTH = 16 * 1024 * 1024;

const PAGE_SIZE = 500;

/** What matters to who goes on with a run: spans of outcomes, errors and the like do not. */
const READ_TYPES: readonly string[] = [
  'user.message',
  'user.tool_confirmation',
  'user.custom_tool_result',
  'user.tool_result',
  'user.define_outcome',
  'system.message',
  'agent.message',
  'agent.tool_use',
  'agent.tool_result',
  'agent.custom_tool_use',
  'session.status_running',
  'session.status_idle',
  'session.status_rescheduled',
  'session.status_terminated',
  'span.model_request_start',
  'span.model_request_end',
];

/** Reads what was recorded of a session, and then what is new. */
export class RunHistory {
  private records: HistoryEvent[] = [];
  private after: number | undefined;

  constructor(
    private readonly ports: RunHistoryPorts,
    private readonly scope: { readonly workspaceId: number; readonly sessionId: string },
  ) {}

  /**
   * What is known of the session by now, the oldest first, with the files that it needs, which are read anew: they are too
   * large to be kept. There may have been more before it.
   */
  async read(): Promise<readonly HistoryEvent[]> {
    if (this.after === undefined) await this.lookBack();
    else await this.catchUp(this.after);
    return this.ports.files.expand(this.scope.workspaceId, this.records);
  }

  private async lookBack(): Promise<void> {
    const found: SessionEventRecord[] = [];
    let length = 0;
    let after: number | undefined;
    do {
      const page = await this.ports.events.list({
        ...this.scope,
        order: 'descending',
        types: READ_TYPES,
        limit: PAGE_SIZE,
        ...(after !== undefined && { after }),
      });
      found.push(...page.events);
      length += page.events.reduce((sum, { payload }) => sum + JSON.stringify(payload).length, 0);
      after = page.next;
    } while (after !== undefined && found.length < MAX_HISTORY_EVENTS && length < MAX_HISTORY_LENGTH);
    this.add(found.reverse());
    this.after ??= 0;
  }

  private async catchUp(from: number): Promise<void> {
    for (let after: number | undefined = from; after !== undefined;) {
      const page = await this.ports.events.list({
        ...this.scope,
        order: 'ascending',
        types: READ_TYPES,
        limit: PAGE_SIZE,
        after,
      });
      this.add(page.events);
      after = page.next;
    }
  }

  private add(records: readonly SessionEventRecord[]): void {
    this.records.push(...records.map(({ payload }) => payload));
    this.after = records.at(-1)?.position ?? this.after;
  }
}
