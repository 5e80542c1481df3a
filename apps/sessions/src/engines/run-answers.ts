import type { SessionState, SessionStore } from '@sluice/agent-sessions';
import type { SessionEvents } from '@sluice/projections';
import type { FileContents } from './file-contents';

type Event = Readonly<Record<string, unknown>>;

export interface RunAnswersPorts {
  readonly store: Pick<SessionStore, 'load'>;
  readonly events: Pick<SessionEvents, 'list'>;
  readonly files: Pick<FileContents, 'expand'>;
}

/** What answers a run, or goes with an answer. */
const ANSWER_TYPES: readonly string[] = [
  'user.tool_confirmation',
  'user.custom_tool_result',
  'user.tool_result',
  'system.message',
];

const PAGE_SIZE = 100;

/** What the user answers to one run, from when this was opened: for an engine that is told by who started it. */
export class RunAnswers {
  /** Listed, and not for the run yet: held until it asks, or queued for the next run. */
  private withheld: Event[] = [];

  private constructor(
    private readonly ports: RunAnswersPorts,
    private readonly scope: { readonly workspaceId: number; readonly sessionId: string; readonly runId: string },
    private after: number,
  ) {}

  /** To be opened before the run reports anything. */
  static async open(ports: RunAnswersPorts, scope: RunAnswers['scope']): Promise<RunAnswers> {
    const { workspaceId, sessionId } = scope;
    const { events } = await ports.events.list({ workspaceId, sessionId, order: 'descending', limit: 1 });
    return new RunAnswers(ports, scope, events[0]?.position ?? 0);
  }

  /** What came since the last call, at most a page; in its order, with files as base64. */
  async next(): Promise<readonly Event[]> {
    const { workspaceId, sessionId } = this.scope;
    if (!(await this.mayBeAnswered())) return [];
    const page = await this.ports.events.list({
      workspaceId,
      sessionId,
      order: 'ascending',
      after: this.after,
      types: ANSWER_TYPES,
      limit: PAGE_SIZE,
    });
    // Later than the list, so that of what is listed all that is held or queued is known to be.
    const present = await this.ports.store.load(workspaceId, sessionId);
    if (present?.state.run?.id !== this.scope.runId) return [];
    this.after = page.events.at(-1)?.position ?? page.next ?? this.after;
    const kept = keptIds(present.state);
    const listed = [...this.withheld, ...page.events.map(({ payload }) => payload)];
    this.withheld = listed.filter(({ id }) => kept.has(id));
    return this.ports.files.expand(
      workspaceId,
      listed.filter(({ id }) => !kept.has(id)),
    );
  }

  /** A run that uses no tools has no answers: then there is nothing to list. */
  private async mayBeAnswered(): Promise<boolean> {
    const { workspaceId, sessionId, runId } = this.scope;
    const stored = await this.ports.store.load(workspaceId, sessionId);
    return stored?.state.run?.id === runId && stored.state.toolUses.some((use) => use.runId === runId);
  }
}

function keptIds({ heldAnswers, queue }: SessionState): ReadonlySet<unknown> {
  return new Set([...heldAnswers.flatMap(({ inputIds }) => inputIds), ...queue.map(({ eventId }) => eventId)]);
}
