import { setTimeout as pause } from 'node:timers/promises';
import type { BrokerName } from '../e2e/system';
import type { FaultClass } from '../tools/faults/fault-class';
import { BREAKS, Network } from '../tools/faults/network';
import { missingTools } from '../tools/faults/tools';

/** Longer than the session of a follower of the log (6 s) and the lease of a publisher (5 s). */
const BROKEN_MS = 8_000;
const BROKERS: readonly BrokerName[] = ['kafka', 'nats', 'postgres'];
let network: Network | undefined;

/**
 * An app and a broker do not reach each other, only one way, or only most of the time, while each reaches everybody else.
 * Four rounds do everything to every pair.
 */
export const partitions: FaultClass = {
  name: 'partitions',
  what: 'packets between each app and each broker are dropped, both ways, one way, or 20 % of them',
  cluster: {
    rounds: 4,
    needs: () => missingTools('ip', 'iptables', 'sysctl', 'unshare'),
    inOwnNetwork: true,
    prepare: async (dataDir) => {
      const { network: made, ground } = await Network.prepare(`${dataDir}-network`);
      network = made;
      return ground;
    },
    run: async ({ system, trial, rounds }) => {
      const { kafkaBrokers, natsUrl, databaseUrl } = await system.brokers();
      const addresses = { kafka: `kafka://${kafkaBrokers}`, nats: natsUrl, postgres: databaseUrl };
      const pairs = Object.keys(await system.processes()).flatMap((app) =>
        BROKERS.map((broker) => ({ app, broker, port: Number(new URL(addresses[broker]).port) })),
      );
      for (let round = 0; round < rounds; round++) {
        for (const [index, { app, broker, port }] of pairs.entries()) {
          const how = BREAKS[(index + round) % BREAKS.length] ?? 'drop';
          await trial.round(`${app} and ${broker}, ${how}`, async () =>
            network?.whileBroken(app, port, how, () => pause(BROKEN_MS)),
          );
        }
      }
    },
  },
};
