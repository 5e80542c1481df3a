const DEFAULTS = { SLUICE_HTTP_PORT: '8080', SLUICE_PUBSUB_PORT: '6380', SLUICE_DATA_DIR: '.sluice' };

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
    env: { SLUICE_LOG_FORMAT: 'text', ...env },
  };
}

function toPort(name, text) {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new Error(`${name} must be a port from 0 to 65535, not "${text}"`);
  return port;
}
