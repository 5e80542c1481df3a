/**
 * Addresses of the Kafka brokers for integration tests, from `SLUICE_TEST_KAFKA_BROKERS` (`host:port,host:port`).
 * @throws Error when the variable is not set: without a broker these tests say nothing, so they must not pass
 */
export function testKafkaBrokers(): readonly string[] {
  const value = process.env['SLUICE_TEST_KAFKA_BROKERS'];
  if (!value) throw new Error('SLUICE_TEST_KAFKA_BROKERS is not set: integration tests need a Kafka broker');
  return value.split(',');
}
