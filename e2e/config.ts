const KEPT = ['PATH', 'HOME', 'JAVA_HOME', 'SLUICE_CACHE_DIR'];

/** The environment of a system under test: what its tools need, and nothing of the settings of whoever runs the tests. */
export function systemEnvironment(dataDir: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.includes(name))),
    SLUICE_DATA_DIR: dataDir,
    SLUICE_HTTP_PORT: '0',
    SLUICE_PUBSUB_PORT: '0',
  };
}
