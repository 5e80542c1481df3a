import { toSluiceError, type KeyedLocks } from '@sluice/event-log';
import { workspaceEntityId, type CronJob } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocuments } from '@sluice/projections';
import type { Clock } from '../clock';
import { lookAtDue } from '../due-documents';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { NoPlace, RunPool } from '../runs/run-pool';
import type { RunExecutor } from '../runs/run-executor';
import type { WorkspaceSignals } from '../signals';
import { planCatchUp, type DueRun } from './catch-up';
import { jobOf } from './cron-job-document';
import type { CronClaims } from './cron-claims';
import type { CronRescheduler } from './cron-rescheduler';
import type { CronRuns } from './cron-runs';

/** After so long a job with more due times waits for the next look, so that it holds up no other. */
const JOB_SLICE_MS = 250;

export interface SchedulerPorts {
  readonly documents: WorkspaceDocuments;
  readonly journal: WorkspaceJournal;
  readonly locks: KeyedLocks;
  readonly claims: CronClaims;
  readonly rescheduler: CronRescheduler;
  readonly executor: RunExecutor;
  readonly pool: RunPool;
  readonly runs: CronRuns;
  readonly clock: Clock;
  readonly signals: WorkspaceSignals;
  readonly graceMs: number;
}

/**
 * What came of a job: what was due is dealt with, or some of it; it was not due any more; it is not known whether a due
 * time is ours; or there is no room for the run, in this process or for the workspace: then it stays due.
 */
type Handled = 'done' | 'more' | 'not_due' | 'unknown' | 'fault' | NoPlace;

/**
 * Looks for jobs that are due and takes their due times. Any number of processes do so beside each other: each due time
 * has one triggered event and one run.
 */
export class CronScheduler {
  /** Since when this process looks without a break. What fell due later is on time, however long it waits for its turn. */
  private lookingSinceMs: number | undefined;
  private lastLookMs = -Infinity;

  constructor(private readonly ports: SchedulerPorts) {}

  /**
   * One look at all workspaces; resolves when what was due is taken, by us or by others, or soon after the abort, with
   * whether there is more to do at once.
   */
  async poll(signal?: AbortSignal): Promise<boolean> {
    const { documents, clock, graceMs } = this.ports;
    const nowMs = clock.now();
    const goesOn = nowMs - this.lastLookMs <= graceMs;
    const sinceMs = (goesOn ? this.lookingSinceMs : undefined) ?? nowMs;
    const ends = new Set<Handled>();
    try {
      const handlePage = (page: readonly WorkspaceDocument[]) =>
        this.handlePage(page, sinceMs - graceMs, ends, signal).finally(() => (this.lastLookMs = clock.now()));
      const hasMorePages = await lookAtDue(documents, 'cron_job', () => clock.now(), handlePage);
      return hasMorePages || (ends.has('more') && !ends.has('queue'));
    } catch (error) {
      ends.add('fault');
      throw error;
    } finally {
      // After a fault nobody knows what would have been on time.
      this.lookingSinceMs = ends.has('fault') ? undefined : sinceMs;
    }
  }

  /**
   * All of a page at a time, as most of the time goes by waiting until claims are on record.
   * @returns whether something was dealt with, and there is room for more
   */
  private async handlePage(
    page: readonly WorkspaceDocument[],
    onTimeSinceMs: number,
    ends: Set<Handled>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (signal?.aborted) return false;
    const handled = await Promise.all(page.map((document) => this.handleSafely(document, onTimeSinceMs)));
    for (const end of handled) ends.add(end);
    return handled.some((end) => end === 'done' || end === 'more') && !ends.has('queue') && !signal?.aborted;
  }

  /** One job's fault is not another's. */
  private async handleSafely({ workspaceId, id }: WorkspaceDocument, onTimeSinceMs: number): Promise<Handled> {
    const { locks, signals } = this.ports;
    try {
      // With the changes of the job by callers of this process, one after the other.
      return await locks.run(`${workspaceId}/${workspaceEntityId('cron', id)}`, () =>
        this.handle(workspaceId, id, onTimeSinceMs),
      );
    } catch (error) {
      signals.fault('scheduler', toSluiceError(error));
      return 'fault';
    }
  }

  private async handle(workspaceId: number, id: string, onTimeSinceMs: number): Promise<Handled> {
    const { documents, journal, clock, signals, rescheduler } = this.ports;
    // What is read is older than what a caller was told; it stays due until then.
    if (!(await journal.hasCaughtUp(workspaceId, workspaceEntityId('cron', id), 0))) return 'unknown';
    const document = await documents.find(workspaceId, 'cron_job', id);
    const job = document && jobOf(document);
    const nowMs = clock.now();
    if (!document || document.dueAt === undefined || document.dueAt > nowMs) return 'not_due';
    if (!job) throw new Error(`The document of cron job ${id} holds no job`);
    const plan = planCatchUp(job, document.dueAt, nowMs, onTimeSinceMs);
    let { nextRunAt } = plan;
    for (const due of plan.runs) {
      const handled = await this.take(workspaceId, job, due);
      if (handled !== 'done') return handled;
      nextRunAt = due.nextRunAt;
      if (clock.now() - nowMs > JOB_SLICE_MS) break;
    }
    if (plan.skipped > 0) signals.dueTimesSkipped(plan.skipped);
    await rescheduler.settle({ document, job, nextRunAt }, plan.runs.length > 0);
    return nextRunAt === plan.nextRunAt ? 'done' : 'more';
  }

  private async take(workspaceId: number, job: CronJob, due: DueRun): Promise<Handled> {
    const { claims, clock, executor, pool, runs, signals } = this.ports;
    const noPlace = pool.noPlace(workspaceId);
    if (noPlace) return noPlace;
    const [place] = executor.reserve(workspaceId);
    try {
      const claim = await claims.claim(workspaceId, job, due);
      signals.claimed(claim.end, clock.now() - due.dueAt);
      if (claim.end === 'unknown') {
        if (place && claim.later) runs.start(place, job, claim.later.run, claim.later.isOurs);
        return 'unknown';
      }
      if (place && claim.end === 'won') runs.start(place, job, claim.run);
      return 'done';
    } finally {
      place?.release();
    }
  }
}
