import { SluiceError, type DurableLog, type ReadModelRebuilds } from '@sluice/event-log';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { ProjectorSignals } from '../signals';
import { RebuildRun } from './rebuild-run';

export interface RebuildWorkerOptions {
  readonly rebuilds: ReadModelRebuilds;
  readonly durableLog: Pick<DurableLog, 'follow' | 'starts' | 'ends'>;
  readonly signals: ProjectorSignals;
  readonly maxBatchRecords: number;
  /** Names this process among the projectors. */
  readonly holder: string;
  /** How often it is looked whether there is something to build; 2 s by default. */
  readonly pollIntervalMs?: number;
  /** A builder that says nothing for so long loses the rebuild to another process; 15 s by default. */
  readonly leaseMs?: number;
}

const POLL_INTERVAL_MS = 2_000;
const LEASE_MS = 15_000;

/** How often the former model is tried to be dropped, where that was asked for. After that it is for an operator. */
const DROP_ATTEMPTS = 3;

/** Builds whatever rebuild was asked for, at any process, unless another one is at it. */
export function createRebuildWorker(options: RebuildWorkerOptions): Worker {
  const { pollIntervalMs = POLL_INTERVAL_MS, signals } = options;
  return new PollingWorker(
    'rebuild',
    pollIntervalMs,
    (signal) => buildNext(options, signal),
    (error) => signals.fault('rebuild', error),
  );
}

async function buildNext(options: RebuildWorkerOptions, signal: AbortSignal): Promise<boolean> {
  const { rebuilds, holder, leaseMs = LEASE_MS } = options;
  const work = await rebuilds.claim(holder, leaseMs);
  if (work === undefined) return false;
  const end = await new RebuildRun({ ...options, work, leaseMs, signal }).run();
  if (end === 'switched' && (await rebuilds.status())?.dropOld) await dropOld(rebuilds);
  return false;
}

async function dropOld(rebuilds: ReadModelRebuilds): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rebuilds.dropOld();
      return;
    } catch (error) {
      // Somebody still reads it: each attempt waits a while for that to end.
      const mayPass = error instanceof SluiceError && (error.code === 'conflict' || error.retryable);
      if (!mayPass || attempt === DROP_ATTEMPTS) throw error;
    }
  }
}
