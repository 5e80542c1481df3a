import { freeze } from '../tools/faults/freeze';
import type { FaultClass } from '../tools/faults/fault-class';
import { notLinux } from '../tools/faults/tools';

const BROKERS = ['kafka', 'nats', 'postgres'] as const;
const FROZEN_MS = 12_000;

/** A broker stands still: connections stay open and nothing answers, so that only time tells. */
export const freezeBrokers: FaultClass = {
  name: 'freeze-brokers',
  what: 'SIGSTOP of each broker for 12 s: open connections that do not answer',
  cluster: {
    rounds: 2,
    needs: notLinux,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        for (const broker of BROKERS) {
          const { pids } = await system.brokers();
          await trial.round(`${broker} ${round}`, () => freeze(pids[broker], FROZEN_MS));
        }
      }
    },
  },
};
