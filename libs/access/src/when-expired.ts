import { wallClock, type Clock } from './clock';
import { TOKEN_LEEWAY_SECONDS } from './tokens/token-claims';
import type { Principal } from './principal';

/**
 * Longest single wait. Far below what a timer can hold (2^31 - 1 ms), so that a clock that was set, or a machine that
 * slept, is noticed within the hour.
 */
const MAX_WAIT_MS = 60 * 60 * 1000;

export interface ExpiryWatch {
  /** Stops watching. May be called at any time, any number of times. */
  cancel(): void;
}

/** The first instant at which the principal is no longer accepted, in milliseconds since 1970; Infinity when never. */
export function acceptedUntil(principal: Principal): number {
  switch (principal.kind) {
    case 'sandbox':
    case 'stream':
      return principal.expiresAt + TOKEN_LEEWAY_SECONDS * 1000;
    case 'api_key':
      return principal.expiresAt ?? Infinity;
    case 'local':
      return Infinity;
  }
}

/**
 * Calls back once, when the principal's credential ends (for a token: `exp` plus the leeway), never before this call has
 * returned. A stream that it opened has to be closed then. The timer keeps no process alive.
 */
export function whenExpired(
  principal: Principal,
  onExpired: () => void,
  options: { readonly clock?: Clock } = {},
): ExpiryWatch {
  const clock = options.clock ?? wallClock;
  const end = acceptedUntil(principal);
  if (end === Infinity) return { cancel: () => undefined };
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    timer = setTimeout(look, Math.min(Math.max(0, end - clock()), MAX_WAIT_MS));
    if (typeof timer === 'object') timer.unref();
  };
  // A timer may fire a little early, and after a long wait there may be more to come.
  const look = () => (clock() >= end ? onExpired() : wait());
  wait();
  return { cancel: () => clearTimeout(timer) };
}
