import { workspaceEntityId, workspaceEventDataSchema, type CronJob, type EventEnvelope } from '@sluice/event-schema';
import type { Clock } from '../clock';
import { derivedEventId, type CommandScope } from '../journal/command-scope';
import { draftOf } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { CronRun } from '../runs/run';
import type { WorkspaceSignals } from '../signals';
import type { DueRun } from './catch-up';

/**
 * What came of taking a due time: ours to run; another's, or dealt with before; or not on record in time, and then it
 * comes to light later whether it is ours.
 */
export type Claim =
  | { readonly end: 'won'; readonly run: CronRun }
  | { readonly end: 'lost' }
  | { readonly end: 'unknown'; readonly later?: { readonly run: CronRun; readonly isOurs: Promise<boolean> } };

export interface CronClaimsOptions {
  /** Tells this process from all others, also from the one that it was before a restart. */
  readonly replicaId: string;
  readonly runTimeoutMs: number;
  /** How long to wait until it is on record who has a due time. */
  readonly claimWaitMs: number;
  /** Most runs that are remembered as taken; the oldest is forgotten beyond it. */
  readonly maxRemembered?: number;
}

const MAX_REMEMBERED_RUNS = 10_000;

const triggeredSchema = workspaceEventDataSchema('cron_job_triggered');

/**
 * Takes due times for this process. A due time is taken by the event that says that it was triggered: its id is derived
 * from workspace, job and due time, so of all that replicas write the log keeps one, and that one names its run.
 */
export class CronClaims {
  /** What this process took, by run id: a due time that comes up again must not begin a second run. */
  private readonly taken = new Map<string, 'pending' | 'settled'>();

  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly clock: Clock,
    private readonly signals: Pick<WorkspaceSignals, 'claimForgotten'>,
    private readonly options: CronClaimsOptions,
  ) {}

  /** @throws SluiceError `log_unavailable`, `overloaded`: then it may be taken all the same, and trying again is right. */
  async claim(workspaceId: number, job: CronJob, due: DueRun): Promise<Claim> {
    const entityId = workspaceEntityId('cron', job.id);
    // A job that was deleted and made anew is another one.
    const what = `${job.created_at}/${due.dueAt}`;
    const eventId = derivedEventId(workspaceId, entityId, `due/${what}`);
    // The same at each attempt of this process, so that an attempt whose answer was lost is known again.
    const runId = `run-${derivedEventId(workspaceId, entityId, `run/${this.options.replicaId}/${what}`)}`;
    const before = this.taken.get(runId);
    if (before) return { end: before === 'settled' ? 'lost' : 'unknown' };
    const { run, draft } = this.triggered({ workspaceId }, job, due, runId, false);
    const drafts = [{ ...draft, eventId }];
    const { recorded, removed } = await this.journal.append({ workspaceId }, drafts, this.options.claimWaitMs);
    // Taken so long ago that what said so is not kept any more.
    if (removed.has(eventId)) return { end: 'lost' };
    const first = recorded.get(eventId);
    if (first) {
      this.remember(runId, 'settled');
      return isOf(runId, first) ? { end: 'won', run: asRecorded(run, first) } : { end: 'lost' };
    }
    this.remember(runId, 'pending');
    const isOurs = this.journal.recorded(eventId, Math.max(0, run.deadlineAt - this.clock.now())).then((late) => {
      this.remember(runId, 'settled');
      return late !== undefined && isOf(runId, late);
    });
    // Nobody may care, where there is no room for the run.
    isOurs.catch(() => undefined);
    return { end: 'unknown', later: { run, isOurs } };
  }

  /** The run that begins now and the event that says so. */
  triggered({ workspaceId }: CommandScope, job: CronJob, due: DueRun, runId: string, manual: boolean) {
    const nowMs = this.clock.now();
    const run: CronRun = {
      kind: 'cron',
      workspaceId,
      jobId: job.id,
      jobName: job.name,
      runId,
      triggeredAt: nowMs,
      deadlineAt: nowMs + this.options.runTimeoutMs,
    };
    const draft = draftOf('cron_job_triggered', {
      job_id: job.id,
      job_name: job.name,
      run_id: runId,
      triggered_at: nowMs,
      due_at: due.dueAt,
      manual,
      missed: due.missed,
      next_run_at: due.nextRunAt,
      deadline_at: run.deadlineAt,
    });
    return { run, draft };
  }

  private remember(runId: string, state: 'pending' | 'settled'): void {
    this.taken.set(runId, state);
    if (this.taken.size <= (this.options.maxRemembered ?? MAX_REMEMBERED_RUNS)) return;
    const [oldest] = this.taken.keys();
    if (oldest === undefined) return;
    this.taken.delete(oldest);
    this.signals.claimForgotten();
  }
}

const isOf = (runId: string, event: EventEnvelope) => event.data['run_id'] === runId;

/** An earlier attempt of ours, whose answer was lost, may have said other times. */
function asRecorded(run: CronRun, event: EventEnvelope): CronRun {
  const { triggered_at, deadline_at } = triggeredSchema.parse(event.data);
  return { ...run, triggeredAt: triggered_at, deadlineAt: deadline_at };
}
