/** Gives the time in milliseconds. Wall-clock time since 1970 where expiry is judged, any monotonic time for rates. */
export type Clock = () => number;

export const wallClock: Clock = () => Date.now();

export const monotonicClock: Clock = () => performance.now();

/** True while `sinceMs` is less than `maxAgeMs` old. A clock that was set back makes everything stale, never fresh for longer. */
export function isFresh(sinceMs: number, nowMs: number, maxAgeMs: number): boolean {
  const ageMs = nowMs - sinceMs;
  return ageMs >= 0 && ageMs < maxAgeMs;
}

/** For how long a credential that was accepted, and is to be checked again, is told from a guess. */
export const KNOWN_FOR_MS = 600_000;
