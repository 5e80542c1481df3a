import { SessionEngine } from '../e2e/session-engine';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { malformedCalls } from '../tools/faults/malformed';
import { OperationDoors } from '../tools/faults/malformed-doors';
import { attackSockets } from '../tools/faults/malformed-sockets';
import { REFUSED_ROUNDS } from '../tools/faults/malformed-operations';
import { appPids } from '../tools/faults/processes';

/** The engine whose run gets hostile reports; made before the system, which is told that it may call it. */
let engine: SessionEngine;

async function prepare() {
  engine = await SessionEngine.start();
  return {
    settings: {
      SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin,
      // All of it comes from one address.
      SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: '1000',
    },
    clear: () => engine.stop(),
  };
}

/** Each is refused with a code of its own, none is a fault of the server, and nobody else notices. */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  const pidsOf = async () => String(Object.values(await appPids(system)));
  const pids = await pidsOf();
  const doors = await OperationDoors.of(system);
  for (let round = 1; round <= rounds; round++) {
    await trial.round(`malformed ${round}`, async () => {
      const operations = await doors.attack(engine, round);
      const messages = await attackSockets(system.dev(), doors.newMark);
      for (const fault of [...operations.faults, ...messages.faults]) trial.report(fault);
      const calls = malformedCalls(system.dev());
      const outcomes = await Promise.all(calls.map(async ({ send, ...call }) => ({ ...call, outcome: await send() })));
      const wrong = outcomes.filter(({ outcome, isRight }) => !isRight(outcome));
      for (const { name, outcome } of wrong) trial.report(`${name}: ${outcome}`);
      return [
        { what: 'requests refused', count: operations.refused, atLeast: operations.sent },
        { what: 'that may be valid, answered', count: operations.others },
        { what: 'messages refused', count: messages.refused, atLeast: messages.sent },
        { what: 'broken bytes refused', count: calls.length - wrong.length, atLeast: calls.length },
      ];
    });
    if ((await pidsOf()) !== pids) trial.report('a process has died');
  }
}

export const malformedInput: FaultClass = {
  name: 'malformed-input',
  what: 'oversize, broken and hostile input at every door, while others use it',
  cluster: { rounds: REFUSED_ROUNDS, prepare, run },
  embedded: { rounds: REFUSED_ROUNDS, prepare, run },
};
