import { deliveryLogMadeAt } from '../tools/faults/delivery-log';
import type { FaultClass } from '../tools/faults/fault-class';

/** The delivery log loses everything (G6): what is pushed and not delivered, slots, leases of replicas, presence. */
export const deliveryLogLost: FaultClass = {
  name: 'delivery-log-lost',
  what: 'kill -9 of the NATS server, and all data of JetStream deleted',
  cluster: {
    rounds: 5,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`wiped ${round}`, async () => {
          const madeAt = await deliveryLogMadeAt(system);
          await system.restartBroker('nats', 'SIGKILL', 'wipe');
          return async () => [
            { what: 'streams that were lost', count: (await deliveryLogMadeAt(system)) === madeAt ? 0 : 1 },
          ];
        });
      }
    },
  },
};
