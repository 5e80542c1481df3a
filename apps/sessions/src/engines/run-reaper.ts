import { decideRunOverdue, type SessionStore } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { SessionJournal } from '../journal/session-journal';

const RUNS_AT_ONCE = 100;

/** Ends runs whose engine is silent, so that no session hangs. Every replica looks; one of them is first. */
export class RunReaper {
  constructor(
    private readonly store: Pick<SessionStore, 'overdueRuns'>,
    private readonly journal: SessionJournal,
    private readonly clock: Clock,
  ) {}

  /** Gives whether there may be more. @throws SluiceError */
  async poll(signal: AbortSignal): Promise<boolean> {
    const overdue = await this.store.overdueRuns(this.clock.now(), RUNS_AT_ONCE);
    for (const { workspaceId, sessionId } of overdue) {
      if (signal.aborted) return false;
      await this.journal.execute({ workspaceId, sessionId, decide: decideRunOverdue }).catch((error: unknown) => {
        // Somebody was first, or its engine has reported after all.
        const isOver = error instanceof SluiceError && (error.code === 'conflict' || error.code === 'not_found');
        if (!isOver) throw error;
      });
    }
    return overdue.length === RUNS_AT_ONCE;
  }
}
