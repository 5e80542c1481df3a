// Baseline of batches: kafkajs alone, as safe as the real thing (acks of all in-sync replicas, idempotent), with the same
// events in the same batches to the same broker.
import { encodeEnvelope, newEventId } from '@sluice/event-schema';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { serveCalls } from '../child.mjs';
import { nowMs } from '../load/clock.mjs';

let admin;
let producer;
let topic;

/** The bytes that ingest makes of such an event. */
function toMessage(sandboxId, type, data) {
  const { json } = encodeEnvelope({
    id: newEventId(),
    family: 'sandbox',
    entityId: sandboxId,
    workspaceId: 1,
    type,
    schemaVersion: 1,
    occurredAt: Date.now(),
    data,
  });
  return { key: `sandbox/${sandboxId}`, value: Buffer.from(json) };
}

serveCalls({
  connect: async ({ brokers, partitions }) => {
    const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: logLevel.NOTHING });
    topic = `bench-raw-${process.pid}-${Date.now()}`;
    admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
    producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
  },
  /** @returns the rate of events in batches that were acknowledged within the duration */
  produce: async ({ senders, batchEvents, type, data, warmUpMs, durationMs }) => {
    const beginsAt = nowMs() + warmUpMs;
    const endsAt = beginsAt + durationMs;
    let inTime = 0;
    let sent = 0;
    let acknowledged = 0;
    const loop = async (sender) => {
      const { key, value } = toMessage(`bench-${sender}`, type, data);
      while (nowMs() < endsAt) {
        sent += batchEvents;
        await producer.send({ topic, acks: -1, messages: Array.from({ length: batchEvents }, () => ({ key, value })) });
        const at = nowMs();
        acknowledged += batchEvents;
        if (at >= beginsAt && at < endsAt) inTime += batchEvents;
      }
    };
    await Promise.all(Array.from({ length: senders }, (_, sender) => loop(sender)));
    return { perSecond: inTime / (durationMs / 1000), sent, acknowledged };
  },
  close: async () => {
    await producer.disconnect();
    await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
    await admin.disconnect();
  },
});
