/** Where the tests find a NATS server with JetStream. @throws Error when the environment does not say */
export function testNatsUrl(): string {
  const url = process.env['SLUICE_TEST_NATS_URL'];
  if (!url) throw new Error('SLUICE_TEST_NATS_URL must name a NATS server with JetStream; `npm test` provides one');
  return url;
}
