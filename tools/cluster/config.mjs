const DEFAULTS = {
  SLUICE_HTTP_PORT: '8080',
  SLUICE_PUBSUB_PORT: '6380',
  SLUICE_DATA_DIR: '.sluice',
  SLUICE_CLUSTER_REPLICAS: '',
  SLUICE_CLUSTER_LAUNCHER: '',
};

/**
 * What the environment says to `npm run start:cluster`. Other `SLUICE_…` settings go to every app as they are.
 *
 * @param {Record<string, string | undefined>} [env]
 * @throws Error that names the setting
 */
export function readConfig(env = process.env) {
  const text = (name) => env[name]?.trim() || DEFAULTS[name];
  return {
    httpPort: toPort('SLUICE_HTTP_PORT', text('SLUICE_HTTP_PORT')),
    pubsubPort: toPort('SLUICE_PUBSUB_PORT', text('SLUICE_PUBSUB_PORT')),
    dataDir: text('SLUICE_DATA_DIR'),
    replicas: toReplicas(text('SLUICE_CLUSTER_REPLICAS')),
    launcher: text('SLUICE_CLUSTER_LAUNCHER') || undefined,
    env: { SLUICE_LOG_FORMAT: 'text', ...env },
  };
}

function toPort(name, text) {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new Error(`${name} must be a port from 0 to 65535, not "${text}"`);
  return port;
}

/** Most processes of one app on one machine. */
const MAX_REPLICAS = 8;

/** `sse-stream=3,ingest=2` as a record. */
function toReplicas(text) {
  const entries = text.split(',').filter((item) => item.trim() !== '');
  return Object.fromEntries(
    entries.map((item) => {
      const [, app, count] = /^\s*([a-z-]+)=(\d)\s*$/.exec(item) ?? [];
      const replicas = Number(count);
      if (app === undefined || app === 'pubsub-tcp' || replicas < 1 || replicas > MAX_REPLICAS) {
        throw new Error(`SLUICE_CLUSTER_REPLICAS must be app=1 to app=${MAX_REPLICAS}, with commas, not "${item}"`);
      }
      return [app, replicas];
    }),
  );
}
