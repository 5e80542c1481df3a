/**
 * How long a key may be used after it was looked up, in terms of the greatest age that is allowed for looking it up again.
 *
 * A look-up finds the newest generation. Once a generation is `ready` times that age old, nobody uses the one before:
 * an append is handed over within the age itself, and is acknowledged within `acknowledge` times it. What lies between
 * `acknowledge` and `ready` is room for clocks that run at different speeds.
 */
export const KEY_AGE_FACTORS = { refresh: 0.5, acknowledge: 1.2, ready: 1.5 } as const;

/** A moment by both clocks of a process. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function thisMoment(): Moment {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** By whichever clock says more: the monotonic one may stand still with a machine that is paused, the other may be set back. */
export function ageMs({ monotonicMs, wallMs }: Moment): number {
  return Math.max(performance.now() - monotonicMs, Date.now() - wallMs);
}
