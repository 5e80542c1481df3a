import type { KafkaLogLine, KafkaLogMetric } from '@sluice/durable-log-kafka';
import type { SealedLogMetric } from '@sluice/durable-log-sealed';
import type { JetStreamMetric } from '@sluice/delivery-log-jetstream';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

const PORTS = ['durable_log', 'delivery_log', 'feed', 'entity_keys'] as const;
const NOT_OPENED = ['erased', 'unreadable'] as const;

export interface EngineSignals {
  fault(port: (typeof PORTS)[number], error: unknown): void;
  /** Events that are waiting to be stored, or are being stored. */
  appendQueue(events: number): void;
  appendBatchTook(durationMs: number): void;
  appended(events: number): void;
  appendFailed(): void;
  kafkaLog(line: KafkaLogLine): void;
  kafkaMetric(metric: KafkaLogMetric): void;
  sealedMetric(metric: SealedLogMetric): void;
  /** From here on it is told whether it is connected. */
  deliveryLogOpened(): void;
  jetStreamMetric(metric: JetStreamMetric): void;
}

/** The metrics and log lines of the logs' adapters. */
export function createEngineSignals({ metrics, logger }: { metrics: MetricsRegistry; logger: Logger }): EngineSignals {
  const faults = metrics.counter({
    name: 'sluice_port_faults_total',
    help: 'Faults of the logs that were survived, by port.',
    labels: ['port'],
    values: { port: PORTS },
  });
  const appendQueue = metrics.gauge({
    name: 'sluice_append_queue_events',
    help: 'Events that wait to be stored in the durable log.',
  });
  const appended = metrics.counter({ name: 'sluice_appended_events_total', help: 'Events stored in the durable log.' });
  const appendSeconds = metrics.histogram({
    name: 'sluice_append_duration_seconds',
    help: 'Time to store one batch in the durable log.',
  });
  const appendRetries = metrics.counter({
    name: 'sluice_append_failed_attempts_total',
    help: 'Attempts to store a batch that failed.',
  });
  /** Exported from the first call on: by an app that does not use the delivery log it would be 0 for ever. */
  const connected = () =>
    metrics.gauge({ name: 'sluice_delivery_log_connected', help: '1 while connected to the delivery log.' });
  const publishSeconds = metrics.histogram({
    name: 'sluice_publish_duration_seconds',
    help: 'Time to publish one run to the delivery log.',
  });
  const keyLookUpSeconds = metrics.histogram({
    name: 'sluice_entity_key_lookup_duration_seconds',
    help: 'Time to look up, and where needed to make, the keys that some events are sealed by.',
  });
  const keysMade = metrics.counter({
    name: 'sluice_entity_keys_made_total',
    help: 'Keys that were made: entities that were written for the first time, and generations after erasures.',
  });
  const notOpened = metrics.counter({
    name: 'sluice_sealed_records_not_opened_total',
    help: 'Records of the log that were not opened: erased, or unreadable although nobody erased them.',
    labels: ['reason'],
    values: { reason: NOT_OPENED },
  });
  return {
    fault(port, error) {
      faults.inc({ port });
      logger.warn('survived a fault', { port, error });
    },
    appendQueue: (events) => appendQueue.set(events),
    appendBatchTook: (durationMs) => appendSeconds.observe(durationMs / 1000),
    appended: (events) => appended.inc(events),
    appendFailed: () => appendRetries.inc(),
    kafkaLog: ({ level, message, fields }) => logger[level](`kafka: ${message}`, fields),
    kafkaMetric(metric) {
      if (metric.name === 'append_queue') appendQueue.set(metric.events);
      if (metric.name === 'append_attempt_failed') appendRetries.inc();
      if (metric.name === 'append_batch') {
        appended.inc(metric.events);
        appendSeconds.observe(metric.durationMs / 1000);
      }
    },
    sealedMetric(metric) {
      if (metric.name === 'keys_looked_up') {
        keyLookUpSeconds.observe(metric.durationMs / 1000);
        if (metric.made > 0) keysMade.inc(metric.made);
      }
      if (metric.name === 'erased_records_skipped') notOpened.inc({ reason: 'erased' }, metric.records);
      if (metric.name === 'unreadable_records') {
        notOpened.inc({ reason: 'unreadable' }, metric.records);
        logger.error('sealed records of the log do not open', { records: metric.records });
      }
    },
    deliveryLogOpened: () => void connected(),
    jetStreamMetric(metric) {
      if (metric.kind === 'connection') connected().set(metric.connected ? 1 : 0);
      if (metric.kind === 'published') publishSeconds.observe(metric.durationMs / 1000);
    },
  };
}
