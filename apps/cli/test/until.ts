import { setTimeout as wait } from 'node:timers/promises';

const UNTIL_MAX_MS = 60_000;
const POLL_INTERVAL_MS = 20;

/** Resolves when the condition holds; rejects when it does not in time, and says what was waited for. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = UNTIL_MAX_MS,
): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`Waited in vain until ${what}`);
    await wait(POLL_INTERVAL_MS);
  }
}
