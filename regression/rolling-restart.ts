import type { FaultClass } from '../tools/faults/fault-class';
import { appPids, isReplicaOf, replaceApps } from '../tools/faults/processes';

/** What an update does: each process is told to end (SIGTERM), drains, and comes back; replicas one after the other. */
export const rollingRestart: FaultClass = {
  name: 'rolling-restart',
  what: 'SIGTERM of each process, the replicas of an app one after the other',
  cluster: {
    rounds: 5,
    run: async ({ system, trial, rounds }) => {
      const names = Object.keys(await appPids(system));
      const apps = names.filter((name) => isReplicaOf(name, name));
      for (let round = 1; round <= rounds; round++) {
        for (const app of apps) {
          const roll = () => system.roll(app);
          await trial.round(`${app} ${round}`, () => replaceApps(system, (name) => isReplicaOf(app, name), roll));
        }
      }
    },
  },
  embedded: {
    rounds: 10,
    run: async ({ system, trial, rounds }) => {
      const restart = () => system.crash({ signal: 'SIGTERM' });
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`restart ${round}`, () => replaceApps(system, () => true, restart));
      }
    },
  },
};
