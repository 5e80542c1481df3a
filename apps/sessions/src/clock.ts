/** Where commands and loops read the time, in milliseconds since 1970. */
export interface Clock {
  now(): number;
}

export const SYSTEM_CLOCK: Clock = { now: () => Date.now() };
