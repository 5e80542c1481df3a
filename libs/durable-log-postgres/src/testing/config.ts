/** Where the tests find a PostgreSQL database. @throws Error when the environment does not say */
export function testDatabaseUrl(): string {
  const url = process.env['SLUICE_TEST_DATABASE_URL'];
  if (!url) throw new Error('SLUICE_TEST_DATABASE_URL must name a PostgreSQL database; `npm test` provides one');
  return url;
}
