import { setTimeout as pause } from 'node:timers/promises';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { Usage } from '../tools/faults/usage';

const MINUTE_MS = 60_000;

/** Nothing is done but to go on for long: memory and descriptors of the apps stay flat. A round is a minute. */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  const usage = new Usage(async () =>
    system.engine === 'embedded'
      ? { 'all-in-one': system.pid }
      : Object.fromEntries(Object.entries(await system.processes()).map(([name, { pid }]) => [name, pid])),
  );
  usage.start();
  for (let minute = 1; minute <= rounds; minute++) await trial.round(`minute ${minute}`, () => pause(MINUTE_MS));
  await usage.stop();
  for (const line of usage.summary()) trial.log(line);
  for (const fault of usage.growth()) trial.report(fault);
}

export const soak: FaultClass = {
  name: 'soak',
  what: 'load and nothing else, for as many minutes as rounds: memory and descriptors of the apps stay flat',
  cluster: { rounds: 30, run },
  embedded: { rounds: 30, run },
};
