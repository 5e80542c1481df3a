import { SluiceError } from '@sluice/event-log';
import type { CronJob } from '@sluice/event-schema';
import { Cron } from 'croner';

/** When a job is due: by a cron expression, or every so many seconds. */
export type Schedule = Pick<CronJob, 'cron' | 'every' | 'timezone'>;

/** Most missed due times that a job with `catch_up: all` runs for: the newest ones. */
export const MAX_CAUGHT_UP = 100;

/** Counting of missed due times ends here. */
export const MAX_COUNTED_MISSED = 1_000;

/** Expressions without a time zone mean this one, wherever the process runs. */
const DEFAULT_TIMEZONE = 'UTC';

/**
 * The expression, read.
 * @throws SluiceError `invalid_request` for an expression or a time zone that nobody knows, or that is never due
 */
export function assertSchedule({ cron, timezone }: Schedule, nowMs: number): void {
  if (cron === undefined) {
    if (timezone !== undefined) throw invalid('timezone', 'goes with cron only');
    return;
  }
  const pattern = readPattern(cron);
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone ?? DEFAULT_TIMEZONE });
  } catch (error) {
    throw invalid('timezone', 'is no IANA time zone', error);
  }
  if (nextOf(pattern, timezone, nowMs) === undefined) throw invalid('cron', 'is never due');
}

/** The first due time after an instant; undefined when there is none. */
export function nextDueAfter(schedule: Schedule, afterMs: number): number | undefined {
  if (schedule.every !== undefined) return afterMs + schedule.every * 1_000;
  return schedule.cron === undefined ? undefined : nextOf(readPattern(schedule.cron), schedule.timezone, afterMs);
}

export interface DueTimes {
  /** The newest due times, in order: at most `MAX_CAUGHT_UP`, at least one. */
  readonly newest: readonly number[];
  /** Due times before those, counted up to `MAX_COUNTED_MISSED`. */
  readonly before: number;
  /** The first due time after now; undefined when there is none. */
  readonly next: number | undefined;
}

/** All due times of a job from the one that it waits for until now. */
export function dueTimesUntil(schedule: Schedule, fromMs: number, nowMs: number): DueTimes {
  if (schedule.every !== undefined) return dueTimesEvery(schedule.every * 1_000, fromMs, nowMs);
  const { cron = '', timezone } = schedule;
  const pattern = readPattern(cron);
  const job = cronOf(pattern, timezone);
  // The instant that it waits for is a due time even where the expression has changed its mind, as with a new DST rule.
  const times = [fromMs];
  let next = nextIn(job, fromMs);
  // Forwards, as one step back costs the library as much as many ahead. Mostly there is none to take.
  while (next !== undefined && next <= nowMs && times.length < MAX_CAUGHT_UP + MAX_COUNTED_MISSED) {
    times.push(next);
    next = nextIn(job, next);
  }
  if (next === undefined || next > nowMs) {
    const newest = times.slice(-MAX_CAUGHT_UP);
    return { newest, before: times.length - newest.length, next };
  }
  const newest = job
    .previousRuns(MAX_CAUGHT_UP, new Date(nowMs + 1))
    .map((date) => date.getTime())
    .filter((dueMs) => dueMs <= nowMs)
    .reverse();
  return { newest, before: MAX_COUNTED_MISSED, next: nextIn(job, nowMs) };
}

function dueTimesEvery(periodMs: number, fromMs: number, nowMs: number): DueTimes {
  const count = Math.floor((nowMs - fromMs) / periodMs) + 1;
  const newestMs = fromMs + (count - 1) * periodMs;
  const kept = Math.min(count, MAX_CAUGHT_UP);
  return {
    newest: Array.from({ length: kept }, (_, index) => newestMs - (kept - 1 - index) * periodMs),
    before: Math.min(count - kept, MAX_COUNTED_MISSED),
    next: newestMs + periodMs,
  };
}

/** Checked here, because the library takes names, nicknames and years as well. */
function readPattern(text: string): string {
  try {
    const pattern = text.trim();
    const fields = pattern.split(/\s+/).length;
    if (fields !== 5 && fields !== 6) throw new RangeError('must have 5 or 6 fields');
    cronOf(pattern, undefined);
    return pattern;
  } catch (error) {
    throw invalid('cron', 'must be a cron expression of 5 fields, or of 6 with seconds first', error);
  }
}

function nextOf(pattern: string, timezone: string | undefined, afterMs: number): number | undefined {
  return nextIn(cronOf(pattern, timezone), afterMs);
}

function nextIn(job: Cron, afterMs: number): number | undefined {
  return job.nextRun(new Date(afterMs))?.getTime();
}

/** Paused: it computes times and never starts a timer. */
function cronOf(pattern: string, timezone: string | undefined): Cron {
  return new Cron(pattern, { paused: true, mode: '5-or-6-parts', timezone: timezone ?? DEFAULT_TIMEZONE });
}

function invalid(field: string, message: string, cause?: unknown): SluiceError {
  const where = `body.${field}`;
  return new SluiceError('invalid_request', `${where}: ${message}`, { where, cause });
}
