import { decideRunLost, type ClaimedDispatch, type SessionStore } from '@sluice/agent-sessions';
import { SluiceError, WakeUp, type ErrorCode } from '@sluice/event-log';
import type { Worker } from '@sluice/service-runtime';
import type { EngineReports } from '../journal/engine-reports';
import type { SessionJournal } from '../journal/session-journal';
import type { SessionSignals } from '../signals';
import { EngineBusy, EngineFailed, type Engine, type EngineTask } from './engine';
import { HeldDispatch, type HeldDispatchOptions } from './held-dispatch';
import type { RunCalls } from './run-calls';

export interface DispatcherOptions extends HeldDispatchOptions {
  /** How often to look for what is due, when nobody says that something is. */
  readonly pollIntervalMs: number;
  /** Most that this process tells at a time; work of its own engines is none of it. */
  readonly concurrency: number;
  /** Most runs that engines in this process work on at a time. */
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

/** Delays before a dispatch that failed is tried again; the last one for all later tries. */
const RETRY_DELAYS_MS = [250, 1_000, 2_000, 5_000, 10_000] as const;

/** After so many attempts the next fault gives a run up. */
const MAX_ATTEMPTS = 20;

const BUSY_DELAY_MS = 1_000;

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
  private loop: Promise<void> | undefined;

  constructor(
    private readonly ports: DispatcherPorts,
    private readonly options: DispatcherOptions,
  ) {}

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
    const room = concurrency - (this.inHand.size - this.runs.size);
    if (room <= 0) return false;
    const claims = await store.claimDispatches({ holder, leaseMs, limit: room });
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
    const { holder } = this.options;
    const { dispatchId, attempt } = held.claim;
    try {
      const outcome = await this.tell(held);
      signals.dispatched(outcome);
      if (outcome === 'told' || outcome === 'outdated' || outcome === 'given_up') {
        await store.finishDispatch(dispatchId, holder);
      } else {
        await store.retryDispatch(dispatchId, holder, delayMsOf(outcome, attempt));
      }
    } catch (error) {
      // The claim ends by itself, and the dispatch is taken again.
      signals.fault('dispatcher', error);
    }
  }

  private async tell(held: HeldDispatch): Promise<DispatchOutcome> {
    const { claim, signal } = held;
    try {
      const made = await this.ports.calls.of(claim);
      if (made.kind !== 'tell') return made.kind;
      await this.ports.engineOf(claim.dispatch.engine).handle(this.taskOf(held, made.call));
      return 'told';
    } catch (error) {
      // The run is over: whatever its engine did is of no use any more.
      if (held.isOver || hasCode(error, RUN_OVER)) return 'outdated';
      if (signal.aborted) return 'let_go';
      if (error instanceof EngineBusy) return 'busy';
      this.ports.signals.fault('dispatcher', error);
      const isHopeless = error instanceof EngineFailed || hasCode(error, REFUSED_REPORT);
      if (!isHopeless && claim.attempt < MAX_ATTEMPTS) return 'failed';
      const shown = error instanceof EngineFailed ? error.shown : 'The engine could not work on this run';
      await this.giveUp(claim, shown);
      return 'given_up';
    }
  }

  private taskOf(held: HeldDispatch, call: EngineTask['call']): EngineTask {
    const { workspaceId, sessionId, dispatch, dispatchId, attempt } = held.claim;
    return {
      deliveryId: `msg_${dispatchId}_${dispatch.type.replace('.', '_')}`,
      workspaceId,
      engine: dispatch.engine,
      call,
      attempt,
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
    if (this.runs.size >= this.options.maxRuns) throw new EngineBusy('This process works on enough runs');
    this.runs.add(held);
    this.wakeUp.wake();
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

function delayMsOf(outcome: 'not_yet' | 'busy' | 'failed' | 'let_go', attempt: number): number {
  if (outcome === 'let_go') return 0;
  if (outcome === 'busy') return BUSY_DELAY_MS;
  return RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? 0;
}

function hasCode(error: unknown, codes: readonly ErrorCode[]): boolean {
  return error instanceof SluiceError && codes.includes(error.code);
}
