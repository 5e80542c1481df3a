import type { CronJob } from '@sluice/event-schema';
import { dueTimesUntil, nextDueAfter } from './schedule';

/** One due time that gets a run. */
export interface DueRun {
  readonly dueAt: number;
  /** Due times before it that get none. */
  readonly missed: number;
  /** What the job waits for afterwards. */
  readonly nextRunAt: number | null;
}

/** What to do about a job whose time has come. */
export interface CatchUpPlan {
  /** The oldest first. */
  readonly runs: readonly DueRun[];
  readonly skipped: number;
  /** What the job waits for when all of it is done. */
  readonly nextRunAt: number | null;
}

/**
 * Which due times of a job get a run, from the one that it waits for until now: `once` the newest one, `all` every one up
 * to a hundred, `skip` the newest one if it is on time, and none otherwise.
 * @param onTimeSinceMs due times from this instant on are on time: somebody looked for them
 */
export function planCatchUp(job: CronJob, waitsForMs: number, nowMs: number, onTimeSinceMs: number): CatchUpPlan {
  const { newest, before, next } = dueTimesUntil(job, waitsForMs, nowMs);
  const nextRunAt = next ?? null;
  if (job.catch_up === 'all') {
    const runs = newest.map((dueAt, index) => ({
      dueAt,
      missed: index === 0 ? before : 0,
      nextRunAt: newest[index + 1] ?? nextRunAt,
    }));
    return { runs, skipped: before, nextRunAt };
  }
  const dueAt = newest.at(-1) ?? waitsForMs;
  const missed = before + newest.length - 1;
  if (job.catch_up === 'skip' && dueAt < onTimeSinceMs) return { runs: [], skipped: missed + 1, nextRunAt };
  return { runs: [{ dueAt, missed, nextRunAt }], skipped: missed, nextRunAt };
}

/** What an enabled job waits for, seen from an instant on; null when it is disabled or never due again. */
export function nextRunAtFrom(
  job: Pick<CronJob, 'enabled' | 'cron' | 'every' | 'timezone'>,
  nowMs: number,
): number | null {
  return job.enabled ? (nextDueAfter(job, nowMs) ?? null) : null;
}
