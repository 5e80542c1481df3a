import { setTimeout as pause } from 'node:timers/promises';
import { freeze } from '../tools/faults/freeze';
import type { FaultClass } from '../tools/faults/fault-class';

/** Longer than the session of a follower of the log (6 s) and the lease of a publisher (5 s). */
const FROZEN_MS = 12_000;
/** Longer than the lease of an endpoint (15 s). */
const LONG_FROZEN_MS = 20_000;

/**
 * A process stands still for longer than others wait for it, and then goes on with what it was doing, not knowing that it
 * was replaced: what it still tries to write is refused.
 */
export const freezeApps: FaultClass = {
  name: 'freeze-apps',
  what: 'SIGSTOP of each process past its session and lease, then SIGCONT',
  cluster: {
    rounds: 3,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        for (const [name, { pid }] of Object.entries(await system.processes())) {
          const frozenMs = name.startsWith('webhooks') ? LONG_FROZEN_MS : FROZEN_MS;
          await trial.round(`${name} ${round}`, () => freeze(pid, () => pause(frozenMs)));
        }
      }
    },
  },
  embedded: {
    rounds: 5,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`freeze ${round}`, () => freeze(system.pid, () => pause(LONG_FROZEN_MS)));
      }
    },
  },
};
