import {
  SluiceError,
  WakeUp,
  type DurableLog,
  type LogBounds,
  type LogFollower,
  type RebuildRemainder,
  type RebuildWork,
  type SwitchOutcome,
} from '@sluice/event-log';
import type { ProjectorSignals } from '../signals';
import { copyBatch } from './copy-batch';

export interface RebuildRunOptions {
  readonly work: RebuildWork;
  readonly durableLog: Pick<DurableLog, 'follow' | 'starts' | 'ends'>;
  readonly signals: ProjectorSignals;
  readonly maxBatchRecords: number;
  readonly leaseMs: number;
  /** Longest time that nobody can record while a switch is tried; 3 s by default. */
  readonly settleMs?: number;
  /** Wait after a switch that came to nothing, doubled each time up to a minute; 1 s by default. */
  readonly nextAttemptMs?: number;
  /** This process wants to end: somebody else goes on. */
  readonly signal: AbortSignal;
}

/** Those who build share nothing: one reads all lanes. */
const GROUP = 'rebuild';

/** The lease is renewed so often within its time. */
const RENEWALS_PER_LEASE = 5;
/** With at most so much left a switch is tried: within its time all of it can be done. */
const MAX_REMAINDER = 2_000;
const SETTLE_MS = 3_000;
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
/** How often the log is asked where its lanes begin and end. */
const BOUNDS_MS = 10_000;

/** How the work of this process on a rebuild ended; `left` to another process. */
export type RunEnd = 'switched' | 'aborted' | 'failed' | 'left';

/** Builds the model beside, catches up with the live one and exchanges them. */
export class RebuildRun {
  private end: RunEnd | undefined;
  private asked: 'building' | 'aborting' = 'building';
  private readonly wakeUp = new WakeUp();
  private bounds: (LogBounds & { readonly at: number }) | undefined;
  private readonly batches = { begun: 0, copied: 0 };
  /** What was left at the end of the last attempt to switch, and the batches that had come by then. */
  private unsettled: { readonly records: number; readonly batches: number } | undefined;
  private isRenewing = false;
  private renewedAt = performance.now();
  private reportedAt = -Infinity;
  private attemptAt = -Infinity;
  private attemptDelayMs: number;
  private retryDelayMs: number = RETRY_DELAY_MS.first;

  constructor(private readonly options: RebuildRunOptions) {
    this.attemptDelayMs = options.nextAttemptMs ?? NEXT_ATTEMPT_MS.first;
  }

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
        this.batches.begun++;
        await copyBatch(batch, work, () => this.pauseCopying());
        this.batches.copied++;
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
    const left = await work.remainder(await this.boundsOfLog());
    signals.rebuildLeft(left);
    if (performance.now() - this.reportedAt >= REPORT_MS) {
      this.reportedAt = performance.now();
      signals.rebuildReport(work.rebuildId, left);
    }
    return left;
  }

  private async boundsOfLog(): Promise<LogBounds> {
    const { bounds } = this;
    return bounds && performance.now() - bounds.at <= BOUNDS_MS ? bounds : this.readBounds();
  }

  private async readBounds(): Promise<LogBounds> {
    const { durableLog } = this.options;
    const [starts, ends] = await Promise.all([durableLog.starts(), durableLog.ends()]);
    this.bounds = { at: performance.now(), starts, ends };
    return this.bounds;
  }

  private async fillHoles(): Promise<true> {
    const { work } = this.options;
    const missing = await work.fillHoles();
    if (missing !== undefined) await this.fail(`Positions cannot be kept: ${missing}`);
    return true;
  }

  private async trySwitch(): Promise<boolean> {
    const { work, signals } = this.options;
    // Before anybody waits, and only while the log can be reached.
    await this.readBounds();
    let outcome: SwitchOutcome | undefined;
    try {
      outcome = await work.switchOver(() => this.settle());
    } finally {
      if (outcome !== 'switched') {
        this.attemptAt = performance.now() + this.attemptDelayMs;
        this.attemptDelayMs = Math.min(this.attemptDelayMs * 2, NEXT_ATTEMPT_MS.maximum);
      }
    }
    signals.rebuildSwitch(work.rebuildId, outcome);
    if (outcome === 'switched') this.end = 'switched';
    return outcome !== 'outdated';
  }

  /** While nobody can record. */
  private async settle(): Promise<boolean> {
    const { work, settleMs = SETTLE_MS } = this.options;
    const deadline = performance.now() + settleMs;
    for (;;) {
      const projected = await work.project();
      const left = await this.remainder();
      const { events, records } = left;
      if (events === 0 && records === 0) return true;
      if (performance.now() >= deadline) return events === 0 && this.cameToNothing(left);
      if (this.isAskedToEnd || this.end !== undefined) return false;
      // Events without a record of their own text: the log has another one under their ids, or nothing.
      if (projected === 0 && records === 0 && (await work.fillHoles()) !== undefined) return false;
      if (projected === 0) await new WakeUp().sleep(SETTLING_PAUSE_MS);
    }
  }

  /**
   * At the end of a lane the log may have less than the live model has handled. The records that are left are such when two
   * attempts in turn ended with them and the log had no batch between, nor one that is still being copied. Where positions are
   * kept no event is missing either; with new ones all that the log has must have been read.
   */
  private cameToNothing({ records, unread }: RebuildRemainder): boolean {
    const { begun, copied } = this.batches;
    const before = this.unsettled;
    this.unsettled = { records, batches: copied };
    const isIdle = begun === copied && before?.batches === copied;
    const isComplete = this.options.work.positions === 'keep' || unread === 0;
    return isComplete && isIdle && before.records === records;
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

  /** One at a time. Whoever could not for the time of a lease may have lost it, and ends. */
  private async renew(): Promise<void> {
    const { work, leaseMs } = this.options;
    const now = performance.now();
    if (now - this.renewedAt > leaseMs) this.leave();
    if (this.isRenewing || this.end !== undefined) return;
    this.isRenewing = true;
    try {
      this.asked = await work.renew(leaseMs);
      this.renewedAt = now;
      if (this.asked === 'aborting') this.wakeUp.wake();
    } catch (error) {
      this.fault(error);
    } finally {
      this.isRenewing = false;
    }
  }

  private leave(): void {
    this.end ??= 'left';
    this.wakeUp.wake();
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
      this.leave();
    } else if (!(error instanceof SluiceError && error.code === 'shutting_down')) {
      this.options.signals.fault('rebuild', error);
    }
  }
}
