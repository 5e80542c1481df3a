import { setTimeout as pause } from 'node:timers/promises';
import type { Effect } from './effect';

/** How far a clock may be from where it was moved to: an answer takes its time. */
const TOLERANCE_SECONDS = 30;
const LOOKS = 40;
const LOOK_INTERVAL_MS = 250;

/**
 * Waits until the clocks of processes are off by so many seconds, as each of them says by its `/health`.
 *
 * @returns the offset of each in seconds when it was looked at last
 */
export async function untilClocksAreOff(urls: readonly string[], seconds: number): Promise<readonly number[]> {
  for (let look = 1; ; look++) {
    const offsets = await Promise.all(urls.map(readOffsetSeconds));
    if (offsets.every((offset) => isNear(offset, seconds)) || look === LOOKS) return offsets;
    await pause(LOOK_INTERVAL_MS);
  }
}

/** How many clocks were off by so many seconds, of all that are given. */
export function clockEffect(offsets: readonly number[], seconds: number): Effect {
  const count = offsets.filter((offset) => isNear(offset, seconds)).length;
  return { what: `clocks off by ${seconds} s`, count, atLeast: offsets.length };
}

function isNear(offset: number, seconds: number): boolean {
  return Math.abs(offset - seconds) <= TOLERANCE_SECONDS;
}

async function readOffsetSeconds(url: string): Promise<number> {
  const response = await fetch(`${url}/health`);
  const { timestamp } = (await response.json()) as { readonly timestamp: string };
  return (Date.parse(timestamp) - Date.now()) / 1_000;
}
