import type { SealedDurableLog } from '@sluice/durable-log-sealed';
import type { EntityKeys } from '@sluice/event-log';
import { readBrokerTls } from './broker-files';
import type { EngineConfig } from './engine-settings';
import type { EngineSignals } from './engine-signals';

/**
 * The durable log on Kafka, whose records are sealed: the topic of events, the topic of keys, and the index of keys. Both
 * topics are made alike, but for what they keep.
 */
export async function openSealedKafkaLog(
  { kafka, names, sealing }: EngineConfig & { engine: 'cluster' },
  keys: EntityKeys,
  { clientName }: { readonly clientName: string },
  signals: EngineSignals,
): Promise<SealedDurableLog> {
  const { openKafkaDurableLog } = await import('@sluice/durable-log-kafka');
  const { KEY_JOURNAL_GROUP, SealedDurableLog } = await import('@sluice/durable-log-sealed');
  const connection = {
    brokers: kafka.brokers,
    clientId: clientName,
    replicationFactor: kafka.replicationFactor,
    minInSyncReplicas: kafka.minInSyncReplicas,
    createTopic: true,
    ...(kafka.tls === undefined ? {} : { ssl: await readBrokerTls(kafka.tls) }),
    ...(kafka.sasl === undefined ? {} : { sasl: kafka.sasl }),
    onLog: signals.kafkaLog,
  };
  const log = await openKafkaDurableLog({
    ...connection,
    topic: names.topic,
    groupIds: { projector: names.projectorGroup, rebuild: names.rebuildGroup },
    partitions: kafka.partitions,
    onMetric: signals.kafkaMetric,
  });
  try {
    const journal = await openKafkaDurableLog({
      ...connection,
      topic: names.keyTopic,
      groupIds: { [KEY_JOURNAL_GROUP]: names.keyGroup },
      partitions: 1,
      keep: 'newest_of_key',
      // An answer from memory may be older than a key that a record was sealed by.
      limits: { endsMaxAgeMs: 1 },
    });
    return new SealedDurableLog({
      log,
      journal,
      keys,
      sealing: sealing.enabled,
      limits: { keyMaxAgeMs: sealing.keyMaxAgeMs },
      onFault: (error) => signals.fault('entity_keys', error),
      onMetric: signals.sealedMetric,
    });
  } catch (error) {
    await log.close();
    throw error;
  }
}
