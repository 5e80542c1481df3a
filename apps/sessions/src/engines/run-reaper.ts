import { decideRunOverdue, type SessionStore } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { SessionJournal } from '../journal/session-journal';

/** Most runs of one look. */
const RUNS_PER_LOOK = 100;

/** Most runs that are ended at a time. */
const RUNS_AT_ONCE = 16;

/** Ends runs whose engine is silent, so that no session hangs. Every replica looks; one of them is first. */
export class RunReaper {
  /** @param onFault told of each run that could not be ended; it is tried again with the next look */
  constructor(
    private readonly store: Pick<SessionStore, 'overdueRuns'>,
    private readonly journal: Pick<SessionJournal, 'execute'>,
    private readonly clock: Clock,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Gives whether to look again at once. @throws SluiceError `read_model_unavailable` */
  async poll(signal: AbortSignal): Promise<boolean> {
    const overdue = await this.store.overdueRuns(this.clock.now(), RUNS_PER_LOOK);
    const left = overdue.values();
    let ended = 0;
    const endSome = async () => {
      for (const run of left) {
        if (signal.aborted) return;
        if (await this.end(run)) ended += 1;
      }
    };
    await Promise.all(Array.from({ length: RUNS_AT_ONCE }, endSome));
    return overdue.length === RUNS_PER_LOOK && ended > 0 && !signal.aborted;
  }

  /** False when it could not. Never rejects. */
  private async end({ workspaceId, sessionId }: { workspaceId: number; sessionId: string }): Promise<boolean> {
    try {
      await this.journal.execute({ workspaceId, sessionId, decide: decideRunOverdue });
      return true;
    } catch (error) {
      // Somebody was first, or its engine has reported after all.
      if (error instanceof SluiceError && (error.code === 'conflict' || error.code === 'not_found')) return true;
      this.onFault(error);
      return false;
    }
  }
}
