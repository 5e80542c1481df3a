import { randomBytes } from 'node:crypto';
import { describeDurableLog } from '@sluice/event-log/conformance';
import { openKafkaDurableLog, type KafkaDurableLog } from './kafka-durable-log';
import { testKafkaBrokers } from './testing/config';

describeDurableLog('KafkaDurableLog', async () => {
  const topic = `test-${randomBytes(6).toString('hex')}.events.v1`;
  const opened: KafkaDurableLog[] = [];
  return {
    open: async () => {
      const log = await openKafkaDurableLog({
        brokers: testKafkaBrokers(),
        clientId: 'sluice-test',
        topic,
        partitions: 4,
        replicationFactor: 1,
        createTopic: true,
      });
      opened.push(log);
      return log;
    },
    destroy: async () => {
      await Promise.all(opened.map((log) => log.close()));
    },
  };
});
