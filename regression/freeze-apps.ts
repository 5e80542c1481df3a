import { freeze } from '../tools/faults/freeze';
import type { FaultClass } from '../tools/faults/fault-class';
import { appPids } from '../tools/faults/processes';
import { notLinux } from '../tools/faults/tools';

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
    needs: notLinux,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        for (const [name, pid] of Object.entries(await appPids(system))) {
          const frozenMs = name.startsWith('webhooks') ? LONG_FROZEN_MS : FROZEN_MS;
          await trial.round(`${name} ${round}`, () => freeze(pid, frozenMs));
        }
      }
    },
  },
  embedded: {
    rounds: 5,
    needs: notLinux,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`freeze ${round}`, () => freeze(system.pid, LONG_FROZEN_MS));
      }
    },
  },
};
