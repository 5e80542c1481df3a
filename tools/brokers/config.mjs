import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The environment variable that gives the address of each broker. */
export const ADDRESS_VARIABLES = {
  kafka: 'SLUICE_TEST_KAFKA_BROKERS',
  nats: 'SLUICE_TEST_NATS_URL',
  postgres: 'SLUICE_TEST_DATABASE_URL',
};

/**
 * Everything that the environment says to this tool, read in one place.
 *
 * @param {Record<string, string | undefined>} [env]
 */
export function readConfig(env = process.env) {
  const addresses = {};
  for (const [name, variable] of Object.entries(ADDRESS_VARIABLES)) {
    const value = env[variable]?.trim();
    if (value) addresses[name] = value;
  }
  return {
    addresses,
    cacheDir: env.SLUICE_CACHE_DIR || join(homedir(), '.cache', 'sluice', 'brokers'),
    tempDir: tmpdir(),
    dockerHost: env.DOCKER_HOST,
    runtimeDir: env.XDG_RUNTIME_DIR,
    childEnv: env,
    javaBin: env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java',
  };
}
