import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { malformedCalls } from '../tools/faults/malformed';
import { appPids } from '../tools/faults/processes';

/** Each is refused with a code of its own, none is a fault of the server, and nobody else notices. */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  const pidsOf = async () => String(Object.values(await appPids(system)));
  const pids = await pidsOf();
  for (let round = 1; round <= rounds; round++) {
    await trial.round(`malformed ${round}`, async () => {
      const calls = malformedCalls(system.dev());
      let refused = 0;
      for (const { name, send, isRight } of calls) {
        const outcome = await send();
        if (isRight(outcome)) refused++;
        else trial.report(`${name}: ${outcome}`);
      }
      return [{ what: 'inputs refused', count: refused, atLeast: calls.length }];
    });
    if ((await pidsOf()) !== pids) trial.report('a process has died');
  }
}

export const malformedInput: FaultClass = {
  name: 'malformed-input',
  what: 'oversize, broken and hostile input at every door, while others use it',
  cluster: { rounds: 3, run },
  embedded: { rounds: 3, run },
};
