import type { KafkaLogLine, KafkaLogMetric } from '@sluice/durable-log-kafka';
import type { JetStreamMetric } from '@sluice/delivery-log-jetstream';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

export interface EngineSignals {
  fault(port: 'durable_log' | 'delivery_log' | 'feed', error: unknown): void;
  /** Events that are waiting to be stored, or are being stored. */
  appendQueue(events: number): void;
  appendBatchTook(durationMs: number): void;
  appended(events: number): void;
  appendFailed(): void;
  kafkaLog(line: KafkaLogLine): void;
  kafkaMetric(metric: KafkaLogMetric): void;
  jetStreamMetric(metric: JetStreamMetric): void;
}

/** The metrics and log lines of the logs' adapters. */
export function createEngineSignals({ metrics, logger }: { metrics: MetricsRegistry; logger: Logger }): EngineSignals {
  const faults = metrics.counter({
    name: 'sluice_port_faults_total',
    help: 'Faults of the logs that were survived, by port.',
    labels: ['port'],
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
  const connected = metrics.gauge({
    name: 'sluice_delivery_log_connected',
    help: '1 while connected to the delivery log.',
  });
  const publishSeconds = metrics.histogram({
    name: 'sluice_publish_duration_seconds',
    help: 'Time to publish one run to the delivery log.',
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
    jetStreamMetric(metric) {
      if (metric.kind === 'connection') connected.set(metric.connected ? 1 : 0);
      if (metric.kind === 'published') publishSeconds.observe(metric.durationMs / 1000);
    },
  };
}
