import type { FaultClass } from '../tools/faults/fault-class';

/** Every process of the cluster dies without a word, one after the other, and is started again as a Deployment would. */
export const killApps: FaultClass = {
  name: 'kill-apps',
  what: 'kill -9 of each process in turn',
  cluster: {
    rounds: 20,
    run: async ({ system, trial, rounds }) => {
      const names = Object.keys(await system.processes());
      for (let round = 1; round <= rounds; round++) {
        for (const name of names) await trial.round(`${name} ${round}`, () => system.killApp(name));
      }
    },
  },
  embedded: {
    rounds: 20,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) await trial.round(`kill ${round}`, () => system.crash());
    },
  },
};
