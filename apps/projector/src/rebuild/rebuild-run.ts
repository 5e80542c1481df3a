import {
  SluiceError,
  WakeUp,
  type DurableLog,
  type LaneCheckpoints,
  type LogFollower,
  type RebuildRemainder,
  type RebuildWork,
} from '@sluice/event-log';
import type { ProjectorSignals } from '../signals';
import { copyBatch } from './copy-batch';

export interface RebuildRunOptions {
  readonly work: RebuildWork;
  readonly durableLog: Pick<DurableLog, 'follow' | 'starts'>;
  readonly signals: ProjectorSignals;
  readonly maxBatchRecords: number;
  readonly leaseMs: number;
  /** This process wants to end: somebody else goes on. */
  readonly signal: AbortSignal;
}

/** Those who build share nothing: one reads all lanes. */
const GROUP = 'rebuild';

/** The lease is renewed so often within its time. */
const RENEWALS_PER_LEASE = 5;
/** With at most so much left a switch is tried: within its time all of it can be done. */
const MAX_REMAINDER = 2_000;
/** Longest time that nobody can record while a switch is tried. */
const SETTLE_MS = 3_000;
/** Wait after a switch that came to nothing: doubled each time, up to the maximum. */
const NEXT_ATTEMPT_MS = { first: 1_000, maximum: 60_000 } as const;
/** Wait where nothing is to be done until the live model, or the log, has more. */
const IDLE_MS = 100;
/** Wait before records are tried again that the live model has not handled yet. */
const COPYING_PAUSE_MS = 50;
/** Wait for what comes within the time of a switch. */
const SETTLING_PAUSE_MS = 10;
/** Wait after a fault: doubled each time, up to the maximum. */
const RETRY_DELAY_MS = { first: 100, maximum: 5_000 } as const;
/** How often it is told how far the rebuild is. */
const REPORT_MS = 5_000;
/** How often the log is asked where its lanes begin. */
const STARTS_MS = 10_000;

/** How the work of this process on a rebuild ended; `left` to another process. */
export type RunEnd = 'switched' | 'aborted' | 'failed' | 'left';

/** Builds the model beside, catches up with the live one and exchanges them. */
export class RebuildRun {
  private end: RunEnd | undefined;
  private asked: 'building' | 'aborting' = 'building';
  private readonly wakeUp = new WakeUp();
  private starts: { readonly at: number; readonly lanes: LaneCheckpoints } | undefined;
  private reportedAt = -Infinity;
  private attemptAt = -Infinity;
  private attemptDelayMs: number = NEXT_ATTEMPT_MS.first;
  private retryDelayMs: number = RETRY_DELAY_MS.first;

  constructor(private readonly options: RebuildRunOptions) {}

  async run(): Promise<RunEnd> {
    const { work, leaseMs, signal, signals } = this.options;
    const stop = () => this.wakeUp.wake();
    signal.addEventListener('abort', stop);
    const renewal = setInterval(() => void this.renew(), leaseMs / RENEWALS_PER_LEASE);
    signals.rebuildBegan(work.rebuildId, work.positions);
    try {
      await this.renew();
      while (this.end === undefined) await this.surviving(() => this.build());
      if (this.end === 'left') await work.release().catch(() => undefined);
      return this.end;
    } finally {
      clearInterval(renewal);
      signal.removeEventListener('abort', stop);
      signals.rebuildEnded(work.rebuildId, this.end ?? 'left');
    }
  }

  /** From a model that is prepared to the end, or until that is outdated. */
  private async build(): Promise<void> {
    const { work } = this.options;
    if (this.asked === 'aborting') return this.abort();
    if (this.options.signal.aborted) return void (this.end ??= 'left');
    await work.prepare();
    const follower = await this.follow();
    try {
      let isUpToDate = true;
      while (this.end === undefined && isUpToDate) await this.surviving(async () => (isUpToDate = await this.step()));
    } finally {
      this.wakeUp.wake();
      await follower.stop();
    }
  }

  private follow(): Promise<LogFollower> {
    const { work, durableLog, maxBatchRecords } = this.options;
    return durableLog.follow({
      group: GROUP,
      maxBatchRecords,
      loadCheckpoints: (lanes) => work.loadCheckpoints(lanes),
      handle: async (batch) => {
        await copyBatch(batch, work, () => this.pauseCopying());
        this.wakeUp.wake();
      },
      onFault: (error) => this.fault(error),
    });
  }

  private async pauseCopying(): Promise<void> {
    if (this.end !== undefined || this.isAskedToEnd) throw new SluiceError('shutting_down', 'The rebuild ends here');
    this.wakeUp.wake();
    await new WakeUp().sleep(COPYING_PAUSE_MS);
  }

  private get isAskedToEnd(): boolean {
    return this.options.signal.aborted || this.asked === 'aborting';
  }

  /** One step towards the switch. False when the model beside is to be begun anew. */
  private async step(): Promise<boolean> {
    if (this.asked === 'aborting') await this.abort();
    else if (this.options.signal.aborted) this.end ??= 'left';
    if (this.end !== undefined) return true;
    this.wakeUp.reset();
    if ((await this.project()) > 0) return true;
    const left = await this.remainder();
    if (left.events > 0 && left.records === 0) return this.fillHoles();
    if (left.events + left.records > MAX_REMAINDER || performance.now() < this.attemptAt) {
      await this.wakeUp.sleep(IDLE_MS);
      return true;
    }
    return this.trySwitch();
  }

  private async project(): Promise<number> {
    const events = await this.options.work.project();
    this.options.signals.rebuildProjected(events);
    if (performance.now() - this.reportedAt >= REPORT_MS) await this.remainder();
    return events;
  }

  private async remainder(): Promise<RebuildRemainder> {
    const { work, signals } = this.options;
    const left = await work.remainder(await this.startsOfLog());
    signals.rebuildLeft(left);
    if (performance.now() - this.reportedAt >= REPORT_MS) {
      this.reportedAt = performance.now();
      signals.rebuildReport(work.rebuildId, left);
    }
    return left;
  }

  private async startsOfLog(): Promise<LaneCheckpoints> {
    if (this.starts === undefined || performance.now() - this.starts.at > STARTS_MS) {
      this.starts = { at: performance.now(), lanes: await this.options.durableLog.starts() };
    }
    return this.starts.lanes;
  }

  private async fillHoles(): Promise<true> {
    const { work } = this.options;
    const missing = await work.fillHoles();
    if (missing !== undefined) await this.fail(`Positions cannot be kept: ${missing}`);
    return true;
  }

  private async trySwitch(): Promise<boolean> {
    const { work, signals } = this.options;
    const outcome = await work.switchOver(() => this.settle());
    signals.rebuildSwitch(work.rebuildId, outcome);
    if (outcome === 'switched') this.end = 'switched';
    if (outcome === 'not_yet') {
      this.attemptAt = performance.now() + this.attemptDelayMs;
      this.attemptDelayMs = Math.min(this.attemptDelayMs * 2, NEXT_ATTEMPT_MS.maximum);
    }
    return outcome !== 'outdated';
  }

  /** While nobody can record. Records that came to nothing may be missing at the end of a lane: they are looked for a while. */
  private async settle(): Promise<boolean> {
    const { work } = this.options;
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const projected = await work.project();
      const { events, records } = await this.remainder();
      if (events === 0 && records === 0) return true;
      if (performance.now() >= deadline) return work.positions === 'keep' && events === 0;
      if (this.isAskedToEnd) return false;
      if (projected === 0) await new WakeUp().sleep(SETTLING_PAUSE_MS);
    }
  }

  private async abort(): Promise<void> {
    await this.options.work.discard();
    this.end ??= 'aborted';
  }

  private async fail(reason: string): Promise<void> {
    await this.options.work.discard(reason);
    this.end ??= 'failed';
    this.options.signals.rebuildFailed(this.options.work.rebuildId, reason);
  }

  private async renew(): Promise<void> {
    try {
      this.asked = await this.options.work.renew(this.options.leaseMs);
      if (this.asked === 'aborting') this.wakeUp.wake();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Faults of the stores are survived; what no repetition helps against ends the rebuild. */
  private async surviving(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.retryDelayMs = RETRY_DELAY_MS.first;
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'configuration') return this.failSafely(error.message);
      this.fault(error);
      if (this.end !== undefined) return;
      await this.options.work.note(String(error)).catch(() => undefined);
      this.wakeUp.reset();
      if (!this.isAskedToEnd) await this.wakeUp.sleep(this.retryDelayMs);
      this.retryDelayMs = Math.min(this.retryDelayMs * 2, RETRY_DELAY_MS.maximum);
    }
  }

  private async failSafely(reason: string): Promise<void> {
    await this.fail(reason).catch((error: unknown) => this.fault(error));
  }

  /** A rebuild that is somebody else's by now, or over, is left. */
  private fault(error: unknown): void {
    if (error instanceof SluiceError && error.code === 'conflict') {
      this.end ??= 'left';
      this.wakeUp.wake();
    } else if (!(error instanceof SluiceError && error.code === 'shutting_down')) {
      this.options.signals.fault('rebuild', error);
    }
  }
}
