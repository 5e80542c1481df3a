import {
  SluiceError,
  WakeUp,
  type EventRetention,
  type RetentionBacklog,
  type RetentionBounds,
  type RetentionWork,
} from '@sluice/event-log';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { ProjectorSignals } from '../signals';
import type { RetentionSignals } from './retention-signals';

type RetentionSignal = Exclude<keyof RetentionSignals, 'retentionAsked'>;

export interface RetentionWorkerOptions {
  readonly retention: Pick<EventRetention, 'claim'>;
  readonly signals: Pick<ProjectorSignals, RetentionSignal | 'fault'>;
  /** Names this process among the projectors. */
  readonly holder: string;
  /** How often it is looked whether something is too old; 30 s by default. */
  readonly pollIntervalMs?: number;
  /** Wait between two transactions, so that others have the database as well; 50 ms by default. */
  readonly pauseMs?: number;
  readonly bounds?: RetentionBounds;
}

const POLL_INTERVAL_MS = 30_000;
const PAUSE_MS = 50;
/** Who says nothing for so long loses the right to another process: longer than any transaction may take. */
const LEASE_MS = 60_000;
const RENEW_INTERVAL_MS = 10_000;
const NO_BACKLOG: RetentionBacklog = { policies: 0, overdueMs: 0 };
/** Of one transaction. */
const BOUNDS: RetentionBounds = { maxEvents: 1_000, maxBytes: 8 * 1024 * 1024, maxScanned: 5_000 };

/** Removes events that are older than the policies say, in one process at a time. Where it stopped another one goes on. */
export function createRetentionWorker(options: RetentionWorkerOptions): Worker {
  const { pollIntervalMs = POLL_INTERVAL_MS, signals } = options;
  return new PollingWorker(
    'retention',
    pollIntervalMs,
    (signal) => removeWhatIsOld(options, signal),
    (error) => signals.fault('retention', error),
  );
}

async function removeWhatIsOld(options: RetentionWorkerOptions, signal: AbortSignal): Promise<boolean> {
  const { retention, holder, signals } = options;
  const work = await retention.claim(holder, LEASE_MS);
  if (work === undefined) {
    // Whoever is at it tells.
    signals.retentionBacklog(NO_BACKLOG);
    return false;
  }
  signals.retentionActive(true);
  try {
    await sweep(work, options, signal);
    await work.release();
  } catch (error) {
    // Somebody else has taken it over, who goes on.
    if (!(error instanceof SluiceError && error.code === 'conflict')) throw error;
  } finally {
    signals.retentionActive(false);
  }
  return false;
}

/** Until nothing is too old, or this process ends. */
async function sweep(
  work: RetentionWork,
  { signals, pauseMs = PAUSE_MS, bounds = BOUNDS }: RetentionWorkerOptions,
  signal: AbortSignal,
): Promise<void> {
  const wakeUp = new WakeUp();
  const stop = () => wakeUp.wake();
  signal.addEventListener('abort', stop);
  let renewedAt = performance.now();
  try {
    while (!signal.aborted) {
      const step = await work.step(bounds);
      signals.retentionBacklog(work.backlog());
      if (step.kind === 'waiting') signals.retentionWaits();
      if (step.kind === 'clocks_differ') signals.retentionClocksDiffer(step.byMs);
      if (step.kind !== 'swept') return;
      signals.retentionSwept(step);
      if (performance.now() - renewedAt >= RENEW_INTERVAL_MS) {
        await work.renew(LEASE_MS);
        renewedAt = performance.now();
      }
      if (!signal.aborted) await wakeUp.sleep(pauseMs);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
