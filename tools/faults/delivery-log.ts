import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { until } from '@sluice/event-log/conformance';
import type { ClusterSystem } from '../../e2e/system';
import { NAMES } from './raw-log';

const MADE_TIMEOUT_MS = 30_000;

/** Does something with a connection of its own to the NATS server. */
export async function withNats<T>(system: ClusterSystem, work: (nats: NatsConnection) => Promise<T>): Promise<T> {
  const nats = await connect({ servers: (await system.brokers()).natsUrl });
  try {
    return await work(nats);
  } finally {
    await nats.close();
  }
}

/** When the stream of the delivery log was made, which is another time after its data are lost; waits until it is there. */
export function deliveryLogMadeAt(system: ClusterSystem): Promise<string> {
  return withNats(system, async (nats) => {
    const { streams } = await jetstreamManager(nats);
    let madeAt: string | undefined;
    const look = async () => (await streams.info(NAMES.stream)).created;
    await until(
      async () => (madeAt = await look().catch(() => undefined)) !== undefined,
      'the delivery log is there',
      MADE_TIMEOUT_MS,
    );
    return madeAt ?? '';
  });
}
