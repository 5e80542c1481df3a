import { POLITENESS_LIMITS } from './limits';

/** The right to talk to one host; nobody else has it until `end`. */
export interface HostTurn {
  /** The visit is over. `holdOffMs`: how long the host wants to be left alone. */
  end(holdOffMs?: number): void;
}

/** A turn, or why there is none. */
export type HostTurnOutcome = HostTurn | 'busy' | 'held_off' | 'aborted';

export interface HostTurnsOptions {
  readonly minIntervalMs?: number;
  readonly maxWaitingPerHost?: number;
  readonly maxHosts?: number;
  readonly maxHoldOffMs?: number;
  /** A host that wants to be left alone was forgotten, to have room for another one. */
  readonly onHostForgotten?: () => void;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
}

interface HostState {
  isTaken: boolean;
  /** When the next visit may begin. */
  freeAtMs: number;
  heldOffUntilMs: number;
  readonly waiters: ((outcome: HostTurnOutcome) => void)[];
}

/** One visit at a time to each host, first come first served, with a pause between two visits. */
export class HostTurns {
  private readonly options: Required<HostTurnsOptions>;
  private readonly hosts = new Map<string, HostState>();

  constructor(options: HostTurnsOptions = {}) {
    this.options = {
      ...POLITENESS_LIMITS,
      onHostForgotten: () => undefined,
      nowMs: () => performance.now(),
      ...options,
    };
  }

  /** Visits that wait for their turn. */
  get waiting(): number {
    let count = 0;
    for (const { waiters } of this.hosts.values()) count += waiters.length;
    return count;
  }

  /** Hosts that are visited, waited for, or left alone. */
  get size(): number {
    return this.hosts.size;
  }

  /**
   * Waits for a turn. Never rejects. `isFurther`: who had a turn at this host just now and needs another one is not `busy` for those
   * who wait; there is at most one more of them than may wait.
   */
  take(host: string, signal: AbortSignal, isFurther = false): Promise<HostTurnOutcome> {
    if (signal.aborted) return Promise.resolve('aborted');
    const state = this.stateOf(host);
    if (state === undefined) return Promise.resolve('busy');
    if (state.heldOffUntilMs > this.options.nowMs()) return Promise.resolve('held_off');
    if (!isFurther && state.waiters.length >= this.options.maxWaitingPerHost) return Promise.resolve('busy');
    return new Promise((resolve) => {
      const settle = (outcome: HostTurnOutcome) => {
        signal.removeEventListener('abort', giveUp);
        resolve(outcome);
      };
      const giveUp = () => {
        const index = state.waiters.indexOf(settle);
        if (index < 0) return;
        state.waiters.splice(index, 1);
        settle('aborted');
      };
      state.waiters.push(settle);
      signal.addEventListener('abort', giveUp);
      // Whoever waits already has seen to it that the queue moves.
      if (state.waiters.length === 1 && !state.isTaken) this.advance(state);
    });
  }

  private stateOf(host: string): HostState | undefined {
    const known = this.hosts.get(host);
    if (known !== undefined) return known;
    if (this.hosts.size >= this.options.maxHosts) this.makeRoom();
    if (this.hosts.size >= this.options.maxHosts) return undefined;
    const state = { isTaken: false, freeAtMs: 0, heldOffUntilMs: 0, waiters: [] };
    this.hosts.set(host, state);
    return state;
  }

  /**
   * Forgets hosts that rest. Where there is none, the hold-off that ends first is given up: strangers with many hosts that want to be
   * left alone must not keep others from being visited. A pause after a visit is never given up; it is over soon.
   */
  private makeRoom(): void {
    const nowMs = this.options.nowMs();
    let nearest: { readonly host: string; readonly untilMs: number } | undefined;
    for (const [host, { isTaken, waiters, freeAtMs, heldOffUntilMs }] of this.hosts) {
      if (isTaken || waiters.length > 0 || freeAtMs > nowMs) continue;
      if (heldOffUntilMs <= nowMs) this.hosts.delete(host);
      else if (heldOffUntilMs < (nearest?.untilMs ?? Infinity)) nearest = { host, untilMs: heldOffUntilMs };
    }
    if (nearest === undefined || this.hosts.size < this.options.maxHosts) return;
    this.hosts.delete(nearest.host);
    this.options.onHostForgotten();
  }

  /** Gives the turn to the first waiter, as soon as the pause is over. */
  private advance(state: HostState): void {
    if (state.isTaken || state.waiters.length === 0) return;
    const pauseMs = state.freeAtMs - this.options.nowMs();
    if (pauseMs > 0) {
      // Whoever waits has a deadline of its own; for a pause alone no process stays.
      setTimeout(() => this.advance(state), Math.ceil(pauseMs)).unref();
      return;
    }
    state.isTaken = true;
    state.waiters.shift()?.(this.newTurn(state));
  }

  private newTurn(state: HostState): HostTurn {
    let isOver = false;
    return {
      end: (holdOffMs = 0) => {
        if (isOver) return;
        isOver = true;
        state.isTaken = false;
        const nowMs = this.options.nowMs();
        state.freeAtMs = nowMs + this.options.minIntervalMs;
        if (holdOffMs > 0) {
          state.heldOffUntilMs = nowMs + Math.min(holdOffMs, this.options.maxHoldOffMs);
          for (const settle of state.waiters.splice(0)) settle('held_off');
        }
        this.advance(state);
      },
    };
  }
}
