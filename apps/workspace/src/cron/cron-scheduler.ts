import { toSluiceError } from '@sluice/event-log';
import { workspaceEntityId, type CronJob } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocuments } from '@sluice/projections';
import type { Clock } from '../clock';
import type { EntityLocks } from '../journal/entity-locks';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import { failureOf } from '../runs/run';
import type { RunPool } from '../runs/run-pool';
import type { RunExecutor } from '../runs/run-executor';
import type { WorkspaceSignals } from '../signals';
import { planCatchUp, type DueRun } from './catch-up';
import { jobOf } from './cron-job-document';
import type { CronClaims } from './cron-claims';
import type { CronRescheduler } from './cron-rescheduler';
import type { CronRuns } from './cron-runs';

export interface SchedulerLimits {
  /** Most jobs that one look takes up. */
  readonly jobsPerPoll: number;
  /** Most of them that are handled at a time. */
  readonly jobsAtATime: number;
}

export const SCHEDULER_LIMITS: SchedulerLimits = { jobsPerPoll: 500, jobsAtATime: 16 };

export interface SchedulerPorts {
  readonly documents: WorkspaceDocuments;
  readonly journal: WorkspaceJournal;
  readonly locks: EntityLocks;
  readonly claims: CronClaims;
  readonly rescheduler: CronRescheduler;
  readonly executor: RunExecutor;
  readonly pool: RunPool;
  readonly runs: CronRuns;
  readonly clock: Clock;
  readonly signals: WorkspaceSignals;
  readonly graceMs: number;
  readonly limits?: SchedulerLimits;
}

/** A due time is dealt with, or not known to be, or this process has no room for the run: then it stays due. */
type Handled = 'done' | 'unknown' | 'no_room';

/**
 * Looks for jobs that are due and takes their due times. Any number of processes do so beside each other: each due time
 * has one triggered event and one run.
 */
export class CronScheduler {
  constructor(private readonly ports: SchedulerPorts) {}

  /** One look at all workspaces; resolves when what was due is taken, by us or by others. */
  async poll(): Promise<void> {
    const { documents, clock, limits = SCHEDULER_LIMITS } = this.ports;
    const due = await documents.due({ kind: 'cron_job', dueBefore: clock.now(), limit: limits.jobsPerPoll });
    const rest = due.values();
    let isFull = false;
    const work = async () => {
      for (const document of rest) {
        if (isFull) return;
        if ((await this.handleSafely(document)) === 'no_room') isFull = true;
      }
    };
    await Promise.all(Array.from({ length: Math.min(limits.jobsAtATime, due.length) }, work));
  }

  /** One job's fault is not another's. */
  private async handleSafely({ workspaceId, id }: WorkspaceDocument): Promise<Handled> {
    const { locks, signals } = this.ports;
    try {
      // With the changes of the job by callers of this process, one after the other.
      return await locks.run(workspaceId, workspaceEntityId('cron', id), () => this.handle(workspaceId, id));
    } catch (error) {
      signals.fault('scheduler', toSluiceError(error));
      return 'done';
    }
  }

  private async handle(workspaceId: number, id: string): Promise<Handled> {
    const { documents, clock, signals, graceMs, rescheduler } = this.ports;
    const document = await documents.find(workspaceId, 'cron_job', id);
    const job = document && jobOf(document);
    const nowMs = clock.now();
    if (!document || document.dueAt === undefined || document.dueAt > nowMs) return 'done';
    if (!job) throw new Error(`The document of cron job ${id} holds no job`);
    const plan = planCatchUp(job, document.dueAt, nowMs, graceMs);
    for (const due of plan.runs) {
      const handled = await this.take(workspaceId, job, due);
      if (handled !== 'done') return handled;
    }
    if (plan.skipped > 0) signals.dueTimesSkipped(plan.skipped);
    const handled = { document, job, nextRunAt: plan.nextRunAt };
    if (plan.runs.length > 0) await rescheduler.correct(handled);
    await rescheduler.moveOn(handled);
    return 'done';
  }

  private async take(workspaceId: number, job: CronJob, due: DueRun): Promise<Handled> {
    const { claims, clock, executor, journal, pool, runs, signals } = this.ports;
    const reason = pool.noPlace(workspaceId);
    if (reason === 'queue') return 'no_room';
    // A workspace with its most runs must not hold up the due times of others: its run fails, for all to see.
    const [place] = reason === undefined ? executor.reserve(workspaceId) : [];
    try {
      const claim = await claims.claim(workspaceId, job, due);
      signals.claimed(claim.end, clock.now() - due.dueAt);
      if (claim.end === 'unknown') {
        if (place && claim.later) runs.start(place, job, claim.later.run, claim.later.isOurs);
        return 'unknown';
      }
      if (claim.end === 'lost') return 'done';
      if (place) runs.start(place, job, claim.run);
      else {
        const failure = failureOf(claim.run, 'The workspace has its most runs going on', clock.now());
        await journal.write({ workspaceId }, [failure]);
      }
      return 'done';
    } finally {
      place?.release();
    }
  }
}
