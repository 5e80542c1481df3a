import { setTimeout as pause } from 'node:timers/promises';
import type { FaultClass } from '../tools/faults/fault-class';
import { replaceBroker } from '../tools/faults/processes';

const BROKERS = ['kafka', 'nats', 'postgres'] as const;
const SIGNALS = ['SIGTERM', 'SIGKILL'] as const;
/** Long enough that everybody notices. */
const AWAY_MS = 5_000;

/** Each broker goes, cleanly or by kill -9, stays away for a while and comes back with its data. */
export const restartBrokers: FaultClass = {
  name: 'restart-brokers',
  what: 'each broker is ended cleanly and by kill -9, and is away for 5 s',
  cluster: {
    rounds: 3,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        for (const broker of BROKERS) {
          for (const signal of SIGNALS) {
            const restart = async () => {
              await system.takeDown(broker, signal);
              await pause(AWAY_MS);
              await system.bringUp(broker);
            };
            await trial.round(`${broker} ${signal} ${round}`, () => replaceBroker(system, broker, restart));
          }
        }
      }
    },
  },
};
