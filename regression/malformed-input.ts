import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { malformedCalls } from '../tools/faults/malformed';

/** Each is refused with a code of its own, none is a fault of the server, and nobody else notices. */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  const pidsOf = async () =>
    system.engine === 'embedded' ? [system.pid] : Object.values(await system.processes()).map(({ pid }) => pid);
  const pids = await pidsOf();
  for (let round = 1; round <= rounds; round++) {
    await trial.round(`malformed ${round}`, async () => {
      for (const { name, send, isRight } of malformedCalls(system.dev())) {
        const outcome = await send();
        if (!isRight(outcome)) trial.report(`${name}: ${outcome}`);
      }
    });
    if (String(await pidsOf()) !== String(pids)) trial.report('a process has died');
  }
}

export const malformedInput: FaultClass = {
  name: 'malformed-input',
  what: 'oversize, broken and hostile input at every door, while others use it',
  cluster: { rounds: 3, run },
  embedded: { rounds: 3, run },
};
