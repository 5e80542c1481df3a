const KEPT = ['PATH', 'HOME', 'JAVA_HOME', 'SLUICE_CACHE_DIR'];

/** The environment of a system under test: what its tools need, and nothing of the settings of whoever runs the tests. */
export function systemEnvironment(dataDir: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.includes(name))),
    SLUICE_DATA_DIR: dataDir,
    SLUICE_HTTP_PORT: '0',
    SLUICE_PUBSUB_PORT: '0',
    SLUICE_GATEWAY_PORT: '0',
  };
}

/** Clients that are not ours; absent where they could not be had: `npm test` says so then. */
export const foreignClients = {
  chromium: process.env['SLUICE_TEST_CHROMIUM'],
  python: process.env['SLUICE_TEST_PYTHON'],
} as const;

/** The environment of a program that calls the system: that of whoever runs the tests, and what it is told. */
export function programEnvironment(told: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...told };
}

/** Where the tests find Kafka brokers, as `host:port`. @throws Error when the environment does not say */
export function testKafkaBrokers(): readonly string[] {
  return required('SLUICE_TEST_KAFKA_BROKERS').split(',');
}

/** Where the tests find a PostgreSQL database. @throws Error when the environment does not say */
export function testDatabaseUrl(): string {
  return required('SLUICE_TEST_DATABASE_URL');
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; \`npm test\` provides it`);
  return value;
}
