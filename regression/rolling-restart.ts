import type { FaultClass } from '../tools/faults/fault-class';

/** What an update does: each process is told to end (SIGTERM), drains, and comes back; replicas one after the other. */
export const rollingRestart: FaultClass = {
  name: 'rolling-restart',
  what: 'SIGTERM of each process, the replicas of an app one after the other',
  cluster: {
    rounds: 5,
    run: async ({ system, trial, rounds }) => {
      const apps = Object.keys(await system.processes()).filter((name) => !/-\d$/.test(name));
      for (let round = 1; round <= rounds; round++) {
        for (const app of apps) await trial.round(`${app} ${round}`, () => system.roll(app));
      }
    },
  },
  embedded: {
    rounds: 10,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`restart ${round}`, () => system.crash({ signal: 'SIGTERM' }));
      }
    },
  },
};
