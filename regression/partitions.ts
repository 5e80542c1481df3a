import type { BrokerName, System } from '../e2e/system';
import type { FaultClass } from '../tools/faults/fault-class';
import { BREAKS, isConnectedTo, Network } from '../tools/faults/network';
import { appPids } from '../tools/faults/processes';
import { missingTools } from '../tools/faults/tools';

/** Longer than the session of a follower of the log (6 s) and the lease of a publisher (5 s). */
const BROKEN_MS = 8_000;
const READ_INTERVAL_MS = 500;
const READ_TIMEOUT_MS = 5_000;
const BROKERS: readonly BrokerName[] = ['kafka', 'nats', 'postgres'];
let network: Network | undefined;

/** Readers that follow ask the query app for nothing: somebody reads a page now and then, and is answered or not. */
async function whileReading<T>(system: System, work: () => Promise<T>): Promise<T> {
  const { baseUrl, apiKey } = system.dev();
  const read = async () => {
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
    const response = await fetch(`${baseUrl}/v1/events?limit=1`, { headers: { 'x-api-key': apiKey }, signal });
    await response.arrayBuffer();
  };
  const timer = setInterval(() => void read().catch(() => undefined), READ_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * An app and a broker do not reach each other, only one way, or only most of the time, while each reaches everybody else.
 * Four rounds do everything to every pair that has a connection.
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
      const all = Object.entries(await appPids(system)).flatMap(([app, pid]) =>
        BROKERS.map((broker) => ({ app, pid, broker, port: Number(new URL(addresses[broker]).port) })),
      );
      const pairs = [];
      for (const pair of all) {
        if (await isConnectedTo(pair.pid, pair.port)) pairs.push(pair);
        else trial.log(`${pair.app} and ${pair.broker}: there is nothing between them`);
      }
      for (let round = 0; round < rounds; round++) {
        for (const [index, { app, broker, port }] of pairs.entries()) {
          const how = BREAKS[(index + round) % BREAKS.length] ?? 'drop';
          const fault = async () => (await network?.breakFor(app, port, how, BROKEN_MS)) ?? [];
          await trial.round(`${app} and ${broker}, ${how}`, () => whileReading(system, fault));
        }
      }
    },
  },
};
