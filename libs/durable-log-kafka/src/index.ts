export { KafkaDurableLog, openKafkaDurableLog } from './kafka-durable-log';
export {
  DEFAULT_KAFKA_LIMITS,
  MAX_PARTITIONS,
  type KafkaDurableLogOptions,
  type KafkaLimits,
  type KafkaLogLine,
  type KafkaLogMetric,
  type KafkaSasl,
  type KafkaSettings,
  type KafkaTls,
} from './options';
