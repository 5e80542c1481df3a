import { SluiceError, type Erasures, type ErasureWork } from '@sluice/event-log';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { ProjectorSignals } from '../signals';
import { STEPS, type ErasureTools } from './erasure-steps';

export interface ErasureWorkerOptions extends Omit<ErasureTools, 'work'> {
  readonly erasures: Pick<Erasures, 'claim'>;
  readonly signals: ProjectorSignals;
  /** Names this process among the projectors. */
  readonly holder: string;
  /** How often it is looked whether something is to be erased; 2 s by default. */
  readonly pollIntervalMs?: number;
  /** A process that says nothing for so long loses the erasure to another one; 15 s by default. */
  readonly leaseMs?: number;
}

const POLL_INTERVAL_MS = 2_000;
const LEASE_MS = 15_000;
/** The lease is renewed so often within its time. */
const RENEWALS_PER_LEASE = 5;
/** After a fault the erasure is tried again, by whoever comes first, after so long. */
const RETRY_MS = 5_000;

/** Works on whatever erasure is due, at any process, one at a time. */
export function createErasureWorker(options: ErasureWorkerOptions): Worker {
  const { pollIntervalMs = POLL_INTERVAL_MS, signals } = options;
  return new PollingWorker(
    'erasure',
    pollIntervalMs,
    (signal) => workOnNext(options, signal),
    (error) => signals.fault('erasure', error),
  );
}

/** Whether there was one: then there may be another. */
async function workOnNext(options: ErasureWorkerOptions, signal: AbortSignal): Promise<boolean> {
  const { erasures, holder, signals, leaseMs = LEASE_MS } = options;
  const work = await erasures.claim(holder, leaseMs);
  if (work === undefined) return false;
  const tools = { ...options, work };
  const renewal = keepRenewed(work, leaseMs, signals);
  signals.erasureHeld(true);
  try {
    const pauseMs = await goOn(tools, signals, signal);
    if (pauseMs !== undefined) await work.release(pauseMs);
  } catch (error) {
    await leave(tools, signals, error);
  } finally {
    clearInterval(renewal);
    signals.erasureHeld(false);
  }
  return true;
}

/** One at a time: a step that changes much holds the erasure's row, and renewals wait for that. Nobody else takes it meanwhile. */
function keepRenewed(work: ErasureWork, leaseMs: number, signals: ProjectorSignals): NodeJS.Timeout {
  let isRenewing = false;
  return setInterval(() => {
    if (isRenewing) return;
    isRenewing = true;
    // Who could not renew is refused by whatever it does next.
    void work
      .renew(leaseMs)
      .catch((error: unknown) => signals.fault('erasure', error))
      .finally(() => (isRenewing = false));
  }, leaseMs / RENEWALS_PER_LEASE);
}

/** From step to step, until one has to wait: after so long somebody is to go on. Undefined when all is done. */
async function goOn(tools: ErasureTools, signals: ProjectorSignals, signal: AbortSignal): Promise<number | undefined> {
  const { work } = tools;
  const { erasureId } = work;
  while (!signal.aborted) {
    const { step } = work;
    const outcome = await STEPS[step](tools);
    if (outcome.kind === 'more') continue;
    if (outcome.kind === 'wait') return outcome.waitMs;
    if (outcome.kind === 'done') {
      await work.finish();
      signals.erasureFinished(erasureId);
      return undefined;
    }
    const { progress, dueInMs = 0 } = outcome;
    if (progress?.caveat !== undefined) signals.erasureCaveat(erasureId, progress.caveat);
    await work.advance(outcome.step, progress, dueInMs);
    signals.erasureStep(erasureId, step);
    if (dueInMs > 0) return dueInMs;
  }
  return 0;
}

/** What failed is tried again later. An erasure that is somebody else's by now is left as it is. */
async function leave({ work }: ErasureTools, signals: ProjectorSignals, error: unknown): Promise<void> {
  try {
    await work.note(String(error));
    await work.release(RETRY_MS);
    signals.fault('erasure', error);
  } catch (fault) {
    if (!(fault instanceof SluiceError && fault.code === 'conflict')) signals.fault('erasure', fault);
  }
}
