/** Where the tests find the brokers of the cluster engine; `npm test` sets it. */
export function testBrokers(): { readonly kafkaBrokers: string; readonly natsUrl: string } {
  const kafkaBrokers = process.env['SLUICE_TEST_KAFKA_BROKERS'];
  const natsUrl = process.env['SLUICE_TEST_NATS_URL'];
  if (!kafkaBrokers || !natsUrl) throw new Error('SLUICE_TEST_KAFKA_BROKERS and SLUICE_TEST_NATS_URL are not set');
  return { kafkaBrokers, natsUrl };
}
