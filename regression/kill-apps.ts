import type { ClusterSystem, EmbeddedSystem } from '../e2e/system';
import type { Effect } from '../tools/faults/effect';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { appPids, replaceApps } from '../tools/faults/processes';

/** `kill -9` of one process; resolves when another one is in its place and ready. */
export function killApp(system: ClusterSystem | EmbeddedSystem, app: string): Promise<readonly Effect[]> {
  const kill = () => (system.engine === 'embedded' ? system.crash() : system.killApp(app));
  return replaceApps(system, (name) => name === app, kill);
}

async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  const names = Object.keys(await appPids(system));
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) await trial.round(`${name} ${round}`, () => killApp(system, name));
  }
}

/** Every process dies without a word, one after the other, and is started again as a Deployment would. */
export const killApps: FaultClass = {
  name: 'kill-apps',
  what: 'kill -9 of each process in turn',
  cluster: { rounds: 20, run },
  embedded: { rounds: 20, run },
};
