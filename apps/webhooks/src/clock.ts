/** Where the app reads the time, in milliseconds since 1970, and its luck. */
export interface Clock {
  now(): number;
  /** From 0 to below 1. */
  random(): number;
}

export const SYSTEM_CLOCK: Clock = { now: () => Date.now(), random: () => Math.random() };
