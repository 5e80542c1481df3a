import type { EventFeed } from '@sluice/delivery';
import { SluiceError, toSluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { WorkspaceDraft } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { RunEnd, WorkspaceSignals } from '../signals';
import { MAX_TIMER_MS } from '../timers';
import { RunFailed } from './responder';
import { failureOf, outcomeId, runFacts, type Run } from './run';
import type { RunPlace, RunPool } from './run-pool';
import { shortened, wellFormed } from './well-formed';

/** How often an outcome is tried to be written, and the wait before the second time; doubled each time. */
const OUTCOME_LIMITS = { attempts: 5, retryDelayMs: 200 } as const;

/** Longest reason of a failure that is written, in characters. */
const MAX_REASON_LENGTH = 2_000;

/** Does the work of a run and gives its outcome; the run has failed when it throws. */
export type RunWork = (signal: AbortSignal) => Promise<WorkspaceDraft>;

/** Why a run is broken off. */
class RunEnded extends Error {
  override readonly name = 'RunEnded';
}

/** A run of this process. */
interface Going {
  readonly run: Run;
  readonly controller: AbortController;
  /** Its outcome is on record and not ours. */
  isEndedElsewhere: boolean;
}

/**
 * Executes runs and sees to it that each has its outcome: what the work gives, or a failure when it throws, when the
 * deadline comes or when the process shuts down. A run that another writer ended is broken off and writes nothing.
 */
export class RunExecutor {
  private readonly all = new Set<Going>();
  /** By the ids of their outcomes: of a run that is begun twice, by a repeated command, the first. */
  private readonly going = new Map<string, Going>();
  private isStopping = false;

  constructor(
    private readonly pool: RunPool,
    private readonly journal: Pick<WorkspaceJournal, 'write'>,
    private readonly feed: Pick<EventFeed, 'expect'>,
    private readonly clock: Clock,
    private readonly signals: WorkspaceSignals,
    private readonly retryDelayMs: number = OUTCOME_LIMITS.retryDelayMs,
  ) {}

  /**
   * Takes places before anything is written about the runs.
   * @throws SluiceError `overloaded`, `shutting_down`
   */
  reserve(workspaceId: number, count = 1): RunPlace[] {
    if (this.isStopping) throw new SluiceError('shutting_down', 'The service is shutting down');
    return this.pool.reserve(workspaceId, count);
  }

  /**
   * Begins a run in the background, when its turn comes, if it is ours to run: of a command that was repeated, the first
   * has the run. Where that is not known the run is left to its deadline.
   */
  start(place: RunPlace, run: Run, work: RunWork, isOurs?: Promise<boolean | undefined>): void {
    const going: Going = { run, controller: new AbortController(), isEndedElsewhere: false };
    const id = outcomeId(run);
    this.all.add(going);
    if (!this.going.has(id)) this.going.set(id, going);
    if (this.isStopping) going.controller.abort(shuttingDown());
    // It may be a while until somebody looks at it, and a rejection must not go unhandled until then.
    const isKnownOurs = isOurs?.catch((error: unknown) => {
      this.signals.fault('run', toSluiceError(error));
      return undefined;
    });
    const isRun = isKnownOurs && knownUntilAborted(isKnownOurs, going.controller.signal);
    place.start(() => this.executeIfOurs(going, work, isRun), isRun);
  }

  /** Breaks off a run of this process, waiting or going on, whose outcome somebody wrote. */
  breakOff(run: Run): void {
    const going = this.going.get(outcomeId(run));
    if (going) endElsewhere(going);
  }

  /** Breaks off everything and resolves when each run has its outcome or was given up. Idempotent. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const { controller } of this.all) controller.abort(shuttingDown());
    await this.pool.whenIdle();
  }

  private async executeIfOurs(going: Going, work: RunWork, isOurs?: Promise<boolean | undefined>): Promise<void> {
    const id = outcomeId(going.run);
    try {
      if (isOurs === undefined || (await isOurs)) await this.execute(going, work);
    } catch (error) {
      this.signals.fault('run', toSluiceError(error));
    }
    this.all.delete(going);
    if (this.going.get(id) === going) this.going.delete(id);
  }

  private async execute(going: Going, work: RunWork): Promise<void> {
    const { run, controller } = going;
    const startedAtMs = performance.now();
    const untilDeadlineMs = Math.min(MAX_TIMER_MS, Math.max(0, run.deadlineAt - this.clock.now()));
    const timer = setTimeout(() => controller.abort(new RunFailed('It took too long')), untilDeadlineMs);
    const stopWatching = this.watchOutcome(going, untilDeadlineMs);
    let end: RunEnd;
    try {
      const outcome = await orAborted(work, controller.signal);
      end = await this.conclude(going, outcome, 'succeeded');
    } catch (error) {
      if (!(error instanceof RunFailed || error instanceof RunEnded)) this.signals.fault('run', toSluiceError(error));
      end = await this.conclude(going, failureOf(run, reasonOf(error), this.clock.now()), 'failed');
    }
    clearTimeout(timer);
    stopWatching();
    this.signals.runEnded(runFacts(run), end, performance.now() - startedAtMs);
  }

  /** Whoever ends the run, in whatever process, is heard of by the outcome itself. */
  private watchOutcome(going: Going, waitMs: number): () => void {
    try {
      const id = outcomeId(going.run);
      const expectation = this.feed.expect([id]);
      void expectation.within(waitMs).then(({ events, removed }) => {
        if (events.has(id) || removed.has(id)) endElsewhere(going);
      });
      return () => expectation.cancel();
    } catch {
      // Too much is expected already: then a stop from elsewhere comes to light when the run writes its own outcome.
      return () => undefined;
    }
  }

  private async conclude(going: Going, outcome: WorkspaceDraft, end: RunEnd): Promise<RunEnd> {
    const { run } = going;
    for (let attempt = 1; attempt <= OUTCOME_LIMITS.attempts; attempt++) {
      if (going.isEndedElsewhere) return 'elsewhere';
      try {
        await this.journal.write({ workspaceId: run.workspaceId }, [outcome]);
        return end;
      } catch (error) {
        const fault = toSluiceError(error);
        this.signals.fault('run', fault);
        if (!fault.retryable) {
          if (end !== 'succeeded') break;
          // What the work gave cannot be an event, so it is a failure that can.
          return this.conclude(going, failureOf(run, reasonOf(fault), this.clock.now()), 'failed');
        }
        if (attempt < OUTCOME_LIMITS.attempts) await delay(this.retryDelayMs * 2 ** (attempt - 1));
      }
    }
    return 'lost';
  }
}

const shuttingDown = () => new RunFailed('The process that ran it was shutting down');

function endElsewhere(going: Going): void {
  going.isEndedElsewhere = true;
  going.controller.abort(new RunEnded('Another writer ended it'));
}

function reasonOf(error: unknown): string {
  const reason = error instanceof RunFailed || error instanceof SluiceError ? error.message : 'Internal error';
  return shortened(wellFormed(reason), MAX_REASON_LENGTH);
}

/** Undefined when it is not known before the abort; what is known already counts all the same. */
async function knownUntilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let known: T | undefined;
  const learnt = promise.then((value) => (known = value));
  try {
    return await firstOf(() => learnt, signal);
  } catch {
    // A promise that is settled tells so a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    return known;
  }
}

/** Whatever comes first: a responder may not care that it is aborted. */
async function orAborted<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return firstOf(() => work(signal), signal);
}

/** The promise, or the reason of the signal once it is aborted; of both at a time the promise. */
async function firstOf<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
  });
  try {
    const working = work();
    if (signal.aborted) abort();
    return await Promise.race([working, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function delay(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
