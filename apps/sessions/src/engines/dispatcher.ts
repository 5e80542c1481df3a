import {
  decideRunLost,
  decideRunUntold,
  type ClaimedDispatch,
  type DispatchRetry,
  type SessionStore,
} from '@sluice/agent-sessions';
import { SluiceError, WakeUp, type ErrorCode } from '@sluice/event-log';
import type { Worker } from '@sluice/service-runtime';
import type { EngineReports } from '../journal/engine-reports';
import type { SessionJournal } from '../journal/session-journal';
import type { SessionSignals } from '../signals';
import { EngineBusy, EngineFailed, EngineUnreached, type Engine, type EngineTask } from './engine';
import { EnginePlaces, type Bound } from './engine-places';
import { HeldDispatch, type HeldDispatchOptions } from './held-dispatch';
import type { RunCalls } from './run-calls';

export interface DispatcherOptions extends HeldDispatchOptions {
  /** How often to look for what is due, when nobody says that something is. */
  readonly pollIntervalMs: number;
  /** Most that this process tells at a time; work of its own engines is none of it, nor what waits for its engine. */
  readonly concurrency: number;
  /** Most runs that engines in this process work on at a time. Beside them some may wait for the user. */
  readonly maxRuns: number;
}

export interface DispatcherPorts {
  readonly store: Pick<SessionStore, 'claimDispatches' | 'renewDispatch' | 'finishDispatch' | 'retryDispatch' | 'load'>;
  readonly calls: Pick<RunCalls, 'of'>;
  readonly reports: Pick<EngineReports, 'take'>;
  readonly journal: Pick<SessionJournal, 'execute'>;
  /** By what a session names: a kind, or the id of one that is registered. */
  readonly engineOf: (name: string) => Engine;
  readonly signals: Pick<SessionSignals, 'dispatched' | 'fault'>;
}

/** What came of a dispatch that this process took. */
export type DispatchOutcome = 'told' | 'outdated' | 'not_yet' | 'busy' | 'failed' | 'given_up' | 'let_go';

/** What is to happen to a dispatch. */
type Ending =
  | { readonly outcome: 'told' | 'outdated' | 'given_up' }
  | ({ readonly outcome: 'not_yet' | 'busy' | 'failed' | 'let_go' } & DispatchRetry);

/** Delays before a dispatch that failed is tried again, and the one of all later tries. */
const RETRY_DELAYS_MS = [250, 1_000, 2_000, 5_000] as const;
const LAST_DELAY_MS = 10_000;

/** The last of so many failures gives a run up. */
const MAX_FAILURES = 20;

/** When what had to wait is tried again. */
const WAIT: DispatchRetry = { delayMs: 1_000, isFailure: false };

/** How many things wait for their engines in this process, for each that it may tell at a time. */
const WAITING_PER_TOLD = 2;

/** How many runs that wait for the user are held, for each that may be worked on. Those beyond count among the latter. */
const WAITING_PER_RUN = 4;

/** The run is not, or not any more, what the engine works for. */
const RUN_OVER: readonly ErrorCode[] = ['conflict', 'not_found'];

/** What the engine reported cannot be stored, now or later. */
const REFUSED_REPORT: readonly ErrorCode[] = ['invalid_request', 'payload_too_large'];

/**
 * Tells engines what sessions decided: any replica, each thing by one at a time, those of one session in their order. What
 * a process that died had in hand is taken over when its claim ends.
 */
export class Dispatcher implements Worker {
  readonly name = 'session dispatcher';
  private readonly stopping = new AbortController();
  private readonly wakeUp = new WakeUp();
  /** All that this process holds, and what of it is long work. */
  private readonly inHand = new Map<HeldDispatch, Promise<void>>();
  private readonly runs = new Set<HeldDispatch>();
  private readonly places: EnginePlaces;
  private loop: Promise<void> | undefined;

  constructor(
    private readonly ports: DispatcherPorts,
    private readonly options: DispatcherOptions,
  ) {
    this.places = new EnginePlaces(options.concurrency * WAITING_PER_TOLD);
  }

  /** There may be something to tell, of this session; what is done for it may be out of date. */
  wake(sessionId?: string): void {
    this.wakeUp.wake();
    for (const held of this.inHand.keys()) {
      if (held.claim.sessionId === sessionId) held.look();
    }
  }

  start(): Promise<void> {
    this.loop ??= this.run();
    return Promise.resolve();
  }

  /** Lets go of what is in hand, so that another replica can take it, and resolves when that is done. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp.wake();
    await this.loop;
    await Promise.all(this.inHand.values());
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.wakeUp.reset();
      const isMore = await this.claim().catch((error: unknown) => {
        this.ports.signals.fault('dispatcher', error);
        return false;
      });
      if (!isMore && !signal.aborted) await this.wakeUp.sleep(this.options.pollIntervalMs);
    }
  }

  /** Takes as much as there is room for. Gives whether there may be more. */
  private async claim(): Promise<boolean> {
    const { store, signals } = this.ports;
    const { holder, leaseMs, concurrency } = this.options;
    const room = concurrency - (this.inHand.size - this.runs.size - this.places.waiting);
    if (room <= 0) return false;
    // What lapsed though it is in hand is renewed where it is held, unless somebody else has it by then.
    const except = [...this.inHand.keys()].map(({ claim: { dispatchId } }) => dispatchId);
    const claims = await store.claimDispatches({ holder, leaseMs, limit: room, except });
    for (const claim of claims) {
      const onFault = (error: unknown) => signals.fault('dispatcher', error);
      const held = new HeldDispatch(claim, store, this.options, this.stopping.signal, onFault);
      const done = this.settle(held).finally(() => {
        held.release();
        this.inHand.delete(held);
        this.runs.delete(held);
        // What comes after it in its session can be claimed now.
        this.wakeUp.wake();
      });
      this.inHand.set(held, done);
    }
    return claims.length === room;
  }

  /** Never rejects. */
  private async settle(held: HeldDispatch): Promise<void> {
    const { store, signals } = this.ports;
    try {
      const ending = await this.tell(held);
      signals.dispatched(ending.outcome);
      if ('delayMs' in ending) await store.retryDispatch(held.claim, ending);
      else await store.finishDispatch(held.claim);
    } catch (error) {
      // The claim ends by itself, and the dispatch is taken again.
      signals.fault('dispatcher', error);
    }
  }

  private async tell(held: HeldDispatch): Promise<Ending> {
    const { claim, signal } = held;
    const engine = this.ports.engineOf(claim.dispatch.engine);
    try {
      const leave = await this.places.enter(boundsOf(engine, claim), signal);
      try {
        return await this.tellNow(held, engine);
      } finally {
        leave();
      }
    } catch (error) {
      return this.endingOf(held, error);
    }
  }

  private async tellNow(held: HeldDispatch, engine: Engine): Promise<Ending> {
    const { claim } = held;
    const made = await this.ports.calls.of(claim);
    if (made.kind === 'outdated') return { outcome: 'outdated' };
    if (made.kind === 'not_kept') {
      await this.giveUp(claim, 'What the engine was to be told is not kept any more');
      return { outcome: 'given_up' };
    }
    if (made.isLate) await this.giveTime(claim);
    if (made.kind === 'not_yet') return { outcome: 'not_yet', ...WAIT };
    await engine.handle(this.taskOf(held, made.call));
    return { outcome: 'told' };
  }

  private async endingOf(held: HeldDispatch, error: unknown): Promise<Ending> {
    const { claim, signal } = held;
    // The run is over: whatever its engine did is of no use any more.
    if (held.isOver || hasCode(error, RUN_OVER)) return { outcome: 'outdated' };
    // Long work was begun, which who takes it over has to know.
    if (signal.aborted) return { outcome: 'let_go', delayMs: 0, isFailure: this.runs.has(held) };
    if (error instanceof EngineBusy) return { outcome: 'busy', ...WAIT };
    if (error instanceof EngineUnreached) return { outcome: 'failed', delayMs: error.delayMs, isFailure: true };
    this.ports.signals.fault('dispatcher', error);
    // What we need ourselves is away for a while, or behind: no fault of the run or its engine.
    if (error instanceof SluiceError && error.retryable) return { outcome: 'failed', ...WAIT };
    const isHopeless = error instanceof EngineFailed || hasCode(error, REFUSED_REPORT);
    const failures = claim.failures + 1;
    if (!isHopeless && failures < MAX_FAILURES) {
      return { outcome: 'failed', delayMs: RETRY_DELAYS_MS[failures - 1] ?? LAST_DELAY_MS, isFailure: true };
    }
    await this.giveUp(claim, error instanceof EngineFailed ? error.shown : 'The engine could not work on this run');
    return { outcome: 'given_up' };
  }

  private taskOf(held: HeldDispatch, call: EngineTask['call']): EngineTask {
    const { workspaceId, sessionId, dispatch, dispatchId, failures, failingForMs } = held.claim;
    return {
      deliveryId: `msg_${dispatchId}_${dispatch.type.replace('.', '_')}`,
      workspaceId,
      engine: dispatch.engine,
      call,
      failures,
      failingForMs,
      signal: held.signal,
      detach: () => this.detach(held),
      report: (name, events, usageDelta) =>
        this.ports.reports.take({
          workspaceId,
          sessionId,
          report: { runId: dispatch.runId ?? '', events, ...(usageDelta !== undefined && { usageDelta }) },
          deliveryId: `ours/${name}`,
        }),
    };
  }

  private detach(held: HeldDispatch): void {
    if (this.runs.has(held)) return;
    const { maxRuns } = this.options;
    const waiting = [...this.runs].filter(({ isWaiting }) => isWaiting).length;
    const counted = this.runs.size - Math.min(waiting, maxRuns * WAITING_PER_RUN);
    if (counted >= maxRuns) throw new EngineBusy('This process works on enough runs');
    this.runs.add(held);
    this.wakeUp.wake();
  }

  /** Nobody is to give a run up for the silence of an engine that was not told of it. */
  private async giveTime({ workspaceId, sessionId, dispatch: { runId } }: ClaimedDispatch): Promise<void> {
    if (runId === null) return;
    await this.ports.journal
      .execute({ workspaceId, sessionId, decide: (state, context) => decideRunUntold(state, runId, context) })
      .catch((error: unknown) => this.ports.signals.fault('dispatcher', error));
  }

  private async giveUp({ workspaceId, sessionId, dispatch }: ClaimedDispatch, shown: string): Promise<void> {
    const { runId, type } = dispatch;
    if (runId === null || type === 'run.interrupt') return;
    const lost = { runId, message: shown, isEngineToStop: false };
    await this.ports.journal
      .execute({ workspaceId, sessionId, decide: (state, context) => decideRunLost(state, lost, context) })
      .catch((error: unknown) => {
        if (!hasCode(error, RUN_OVER)) throw error;
      });
  }
}

/** How much may be told at a time to the engine of this dispatch, and to those beside it. */
function boundsOf({ bounds }: Engine, { workspaceId, dispatch: { engine } }: ClaimedDispatch): readonly Bound[] {
  if (bounds === undefined) return [];
  return [
    { name: `${workspaceId}/${engine}`, max: bounds.ofEngine },
    { name: `${workspaceId}`, max: bounds.ofWorkspace },
  ];
}

function hasCode(error: unknown, codes: readonly ErrorCode[]): boolean {
  return error instanceof SluiceError && codes.includes(error.code);
}
