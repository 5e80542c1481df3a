import type { Erasures } from '@sluice/event-log';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { ProjectorSignals } from '../signals';

export interface ErasureBacklogOptions {
  readonly erasures: Pick<Erasures, 'backlog'>;
  readonly signals: Pick<ProjectorSignals, 'erasureBacklog' | 'fault'>;
  /** How often it is looked; 15 s by default. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 15_000;

/** Tells how much is left to erase. Beside the worker of erasures, which may be at one of its steps for long. */
export function createErasureBacklogWorker(options: ErasureBacklogOptions): Worker {
  const { erasures, signals, intervalMs = INTERVAL_MS } = options;
  return new PollingWorker(
    'erasure backlog',
    intervalMs,
    async () => {
      signals.erasureBacklog(await erasures.backlog());
      return false;
    },
    (error) => signals.fault('erasure', error),
  );
}
