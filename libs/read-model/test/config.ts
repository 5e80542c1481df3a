/** Where the tests find PostgreSQL; `npm test` sets it. */
export function testDatabaseUrl(): string {
  const url = process.env['SLUICE_TEST_DATABASE_URL'];
  if (!url) throw new Error('SLUICE_TEST_DATABASE_URL is not set: run the tests by `npm test`');
  return url;
}

/** The environment of a command that a test runs, with more variables. */
export function environmentWith(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...more };
}
