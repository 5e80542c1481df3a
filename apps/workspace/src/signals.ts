import type { SluiceError } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** What a run is of. */
export type RunKind = 'agent' | 'group_chat' | 'cron';

/** How a run ended, as far as this process knows: `elsewhere` when another process, or a stop, ended it. */
export type RunEnd = 'succeeded' | 'failed' | 'elsewhere' | 'lost';

/** What came of a due time that this process tried to take. */
export type ClaimEnd = 'won' | 'lost' | 'unknown';

const RUN_REFUSALS = ['queue', 'workspace'] as const;

/** What the log says of a run. */
export interface RunFacts {
  readonly kind: RunKind;
  readonly workspaceId: number;
  readonly runId: string;
}

/** Everything that the workspace app tells its operators, beyond what every service does. */
export interface WorkspaceSignals {
  appended(events: number, pending: boolean): void;
  /** A change that found too many before it: of the same thing, or in all. */
  refusedChange(reason: 'entity' | 'total'): void;
  /** A change that cannot be read yet, and that later ones do not wait for any more: too many are. */
  unreadForgotten(): void;
  runEnded(run: RunFacts, end: RunEnd, durationMs: number): void;
  runsChanged(running: number, waiting: number): void;
  refusedRun(reason: (typeof RUN_REFUSALS)[number]): void;
  claimed(end: ClaimEnd, latenessMs: number): void;
  /** A due time that this process took, and may take again: it took too many since. */
  claimForgotten(): void;
  dueTimesSkipped(count: number): void;
  /** A job whose next run was put on without a run: nothing to catch up, or a schedule that was overtaken. */
  jobMovedOn(job: { workspaceId: number; jobId: string }): void;
  reaped(run: RunFacts): void;
  fault(loop: 'scheduler' | 'reaper' | 'run', error: SluiceError): void;
}

const LATENESS_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

export function createWorkspaceSignals(metrics: MetricsRegistry, logger: Logger): WorkspaceSignals {
  const events = metrics.counter({
    name: 'sluice_workspace_events_total',
    help: 'Events that this app appended: readable when answered, or not in time (pending).',
    labels: ['outcome'],
  });
  const refusedChanges = metrics.counter({
    name: 'sluice_workspace_changes_refused_total',
    help: 'Changes that found too many waiting before them: of the same thing (entity), or in all (total).',
    labels: ['reason'],
  });
  const unreadForgotten = metrics.counter({
    name: 'sluice_workspace_unread_forgotten_total',
    help: 'Changes that cannot be read yet and are not waited for any more, as there are too many.',
  });
  const runs = metrics.counter({
    name: 'sluice_workspace_runs_total',
    help: 'Runs that ended in this process, by kind and by how: elsewhere is ended by a stop or another process, lost has no outcome yet.',
    labels: ['kind', 'outcome'],
  });
  const duration = metrics.histogram({
    name: 'sluice_workspace_run_duration_seconds',
    help: 'How long runs took.',
    labels: ['kind'],
  });
  const running = metrics.gauge({ name: 'sluice_workspace_runs_running', help: 'Runs going on in this process.' });
  const waiting = metrics.gauge({ name: 'sluice_workspace_runs_waiting', help: 'Runs that wait for their turn.' });
  const refused = metrics.counter({
    name: 'sluice_workspace_runs_refused_total',
    help: 'Runs that found no place: the queue is full, or the workspace has its most runs.',
    labels: ['reason'],
    values: { reason: RUN_REFUSALS },
  });
  const claims = metrics.counter({
    name: 'sluice_workspace_cron_claims_total',
    help: 'Due times of cron jobs that this process tried to take.',
    labels: ['outcome'],
  });
  const claimsForgotten = metrics.counter({
    name: 'sluice_workspace_cron_claims_forgotten_total',
    help: 'Due times that this process took and does not remember any more.',
  });
  const lateness = metrics.histogram({
    name: 'sluice_workspace_cron_lateness_seconds',
    help: 'Time from the due time of a cron job to its run being taken.',
    buckets: LATENESS_BUCKETS_SECONDS,
  });
  const skipped = metrics.counter({
    name: 'sluice_workspace_cron_skipped_total',
    help: 'Due times that had no run, by the catch-up of their jobs.',
  });
  const moved = metrics.counter({
    name: 'sluice_workspace_cron_moved_total',
    help: 'Cron jobs whose next run was set without a run.',
  });
  const reaped = metrics.counter({
    name: 'sluice_workspace_runs_reaped_total',
    help: 'Runs past their deadline that were ended as failed for a process that did not.',
    labels: ['kind'],
  });
  return {
    appended: (count, pending) => events.inc({ outcome: pending ? 'pending' : 'done' }, count),
    refusedChange: (reason) => refusedChanges.inc({ reason }),
    unreadForgotten: () => unreadForgotten.inc(),
    runEnded(run, end, durationMs) {
      runs.inc({ kind: run.kind, outcome: end });
      duration.observe({ kind: run.kind }, durationMs / 1000);
      if (end === 'lost') logger.warn('a run ended and its outcome could not be written', { ...run });
    },
    runsChanged(nowRunning, nowWaiting) {
      running.set(nowRunning);
      waiting.set(nowWaiting);
    },
    refusedRun: (reason) => refused.inc({ reason }),
    claimed(end, latenessMs) {
      claims.inc({ outcome: end });
      if (end === 'won') lateness.observe(Math.max(0, latenessMs) / 1000);
    },
    claimForgotten: () => claimsForgotten.inc(),
    dueTimesSkipped: (count) => skipped.inc(count),
    jobMovedOn(job) {
      moved.inc();
      logger.info('a cron job was moved on without a run', { ...job });
    },
    reaped(run) {
      reaped.inc({ kind: run.kind });
      logger.warn('a run was past its deadline and is ended as failed', { ...run });
    },
    fault: (loop, error) =>
      logger.warn('a loop of the workspace app goes on after a fault', { loop, code: error.code, error }),
  };
}
