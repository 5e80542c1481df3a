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

/** How often a process tries to drop the former model, where that was asked for. After that it is for an operator. */
const DROP_ATTEMPTS = 3;

/** Builds whatever rebuild was asked for, at any process, unless another one is at it. */
export function createRebuildWorker(options: RebuildWorkerOptions): Worker {
  const { pollIntervalMs = POLL_INTERVAL_MS, leaseMs = LEASE_MS, rebuilds, holder, signals } = options;
  const formerModel = new FormerModel(rebuilds);
  const buildNext = async (signal: AbortSignal) => {
    const work = await rebuilds.claim(holder, leaseMs);
    if (work) await new RebuildRun({ ...options, work, leaseMs, signal }).run();
    await formerModel.dropIfAsked();
    return false;
  };
  return new PollingWorker('rebuild', pollIntervalMs, buildNext, (error) => signals.fault('rebuild', error));
}

/** What a switch has left. Every process looks: whoever switched may have ended before it had dropped it. */
class FormerModel {
  private rebuildId: number | undefined;
  private attempts = 0;

  constructor(private readonly rebuilds: ReadModelRebuilds) {}

  async dropIfAsked(): Promise<void> {
    const status = await this.rebuilds.status();
    if (status?.state !== 'switched' || !status.dropOld || !status.oldModelKept) return;
    if (status.rebuildId !== this.rebuildId) [this.rebuildId, this.attempts] = [status.rebuildId, 0];
    if (this.attempts === DROP_ATTEMPTS) return;
    this.attempts++;
    try {
      await this.rebuilds.dropOld();
    } catch (error) {
      // Somebody still reads it.
      const mayPass = error instanceof SluiceError && (error.code === 'conflict' || error.retryable);
      if (!mayPass || this.attempts === DROP_ATTEMPTS) throw error;
    }
  }
}
