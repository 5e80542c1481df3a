import { setTimeout as pause } from 'node:timers/promises';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { readMetric } from '../tools/faults/metrics';
import { appPids } from '../tools/faults/processes';
import { notLinux } from '../tools/faults/tools';
import { Usage } from '../tools/faults/usage';

const MINUTE_MS = 60_000;

/** Nothing is done but to go on for long: memory, descriptors and lag stay flat, and no process ends. A round is a minute. */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  const usage = new Usage(
    () => appPids(system),
    () => readMetric(system, 'projector', 'sluice_projection_lag_events'),
  );
  usage.start();
  for (let minute = 1; minute <= rounds; minute++) {
    await trial.round(`minute ${minute}`, async () => {
      const [acknowledged, samples] = [trial.journal.count, usage.count];
      await pause(MINUTE_MS);
      return [
        { what: 'acknowledged', count: trial.journal.count - acknowledged },
        { what: 'samples of each process', count: usage.count - samples },
      ];
    });
  }
  await usage.stop();
  for (const line of usage.summary()) trial.log(line);
  for (const fault of usage.growth()) trial.report(fault);
}

export const soak: FaultClass = {
  name: 'soak',
  what: 'load and nothing else, for as many minutes as rounds: memory, descriptors and lag stay flat',
  cluster: { rounds: 30, needs: notLinux, run },
  embedded: { rounds: 30, needs: notLinux, run },
};
