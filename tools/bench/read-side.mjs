import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;
/** Longer than the lag that the query app tells may be out of date. */
const STILL_MS = 2_000;
const SETTLE_TIMEOUT_MS = 120_000;

async function readHead(system) {
  const response = await fetch(`${system.queryUrl}/v1/stats?workspaceId=1`, {
    headers: { 'x-api-key': system.adminKey },
  });
  if (!response.ok) throw new Error(`/v1/stats answered ${response.status}: ${await response.text()}`);
  const { head, lagEvents } = await response.json();
  return { position: head.position, lagEvents };
}

/**
 * Waits until the projector has caught up with the log, so that one measure does not pay for the one before.
 *
 * @param {import('./engines.mjs').System} system
 * @param {number} [atLeast] the position that must come, if nothing acknowledged is lost: when it is there, no more
 *   waiting is needed
 * @returns {Promise<number>} the position of the newest event that can be read: below `atLeast` when nothing moves any
 *   more and still something is missing
 */
export async function settle(system, atLeast = Infinity) {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  let before = -1;
  let stillSince = Date.now();
  for (;;) {
    const { position, lagEvents } = await readHead(system);
    if (lagEvents > 0 || position !== before) stillSince = Date.now();
    if (lagEvents === 0 && (position >= atLeast || Date.now() - stillSince > STILL_MS)) return position;
    if (Date.now() > deadline) throw new Error(`the projector is still ${lagEvents} events behind`);
    before = position;
    await delay(POLL_MS);
  }
}
