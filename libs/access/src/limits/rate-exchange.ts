import type { Rate } from './token-bucket';

/** What one caller spent in one process since that was last told. */
export interface Spending {
  /** As of `limitKeyOf`. */
  readonly key: string;
  /** In requests. */
  readonly cost: number;
  /** By which it is limited. */
  readonly rate: Rate;
}

/** How often a process tells the others what its callers spent. */
export const RATE_TELL_INTERVAL_MS = 200;

/** Most callers told of at a time: those who spent most. What the rest spent counts in its own process only. */
export const MAX_TOLD_CALLERS = 500;

/**
 * Why spending is not told: more callers spent in one interval than are gathered (`callers_gathered`), or than are told
 * of at a time (`callers_told`).
 */
export type UntoldReason = 'callers_gathered' | 'callers_told';

/**
 * How processes tell each other what their callers spent. Best effort: what is lost was counted in one process only.
 */
export interface RateExchange {
  /** Tells all others, at most `MAX_TOLD_CALLERS` at a time. Never waits and never throws. */
  tell(spent: readonly Spending[]): void;
  /** Hears from all others, never from this process. Gives the way to stop. The listener must not throw. */
  listen(onSpent: (spent: readonly Spending[]) => void): () => void;
}

/** For an installation of one process: there is nobody to tell. */
export const NO_RATE_EXCHANGE: RateExchange = {
  tell: () => undefined,
  listen: () => () => undefined,
};
