/** Where the tests find the brokers of the cluster engine; `npm test` sets it. */
export function testBrokers(): { readonly kafkaBrokers: string; readonly natsUrl: string } {
  const kafkaBrokers = process.env['SLUICE_TEST_KAFKA_BROKERS'];
  const natsUrl = process.env['SLUICE_TEST_NATS_URL'];
  if (!kafkaBrokers || !natsUrl) throw new Error('SLUICE_TEST_KAFKA_BROKERS and SLUICE_TEST_NATS_URL are not set');
  return { kafkaBrokers, natsUrl };
}

/** Of a delivery log in a test: what a stream may hold is reserved, and the brokers are shared by all tests. */
export const TEST_STREAM_BYTES = '64MiB';

/** The environment of a process of ours: what Node needs, and these settings. */
export function processEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], ...settings };
}
