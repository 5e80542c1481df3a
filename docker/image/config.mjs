/** What the environment says to the programs of the image and of its build; read here alone. */

/** @returns {{ sourceDateEpochSeconds: number }} the time of every file of the image */
export function readBuildConfig(env = process.env) {
  return { sourceDateEpochSeconds: Number(env.SOURCE_DATE_EPOCH ?? 0) };
}

/** @returns {{ port: number, speaksTls: boolean }} where the app answers about its health */
export function readHealthConfig(env = process.env) {
  const ownPort = Number(env.SLUICE_HEALTH_PORT) || undefined;
  const speaksTls = ownPort === undefined && Boolean(env.SLUICE_TLS_CERT_FILE);
  return { port: ownPort ?? Number(env.SLUICE_HTTP_PORT), speaksTls };
}

/**
 * The environment as the settings of the apps are read from it: with those of the file that `SLUICE_ENV_FILE` names, as
 * the start of every app has them too. What the environment itself says wins.
 */
export function readAppEnvironment() {
  const { SLUICE_ENV_FILE: file } = process.env;
  if (file) process.loadEnvFile(file);
  return process.env;
}

/** @returns {{ folder: string, insideUrl: string, publicUrl: string, publicPubsub: { host: string, port: number } }} */
export function readStackConfig(env = process.env) {
  const { hostname, port } = new URL(`tcp://${env.SLUICE_PUBLIC_PUBSUB ?? '127.0.0.1:6380'}`);
  return {
    folder: env.SLUICE_DATA_DIR,
    insideUrl: env.SLUICE_INSIDE_URL ?? 'http://gateway:8080',
    publicUrl: env.SLUICE_PUBLIC_URL ?? 'http://127.0.0.1:8080',
    publicPubsub: { host: hostname, port: Number(port) },
  };
}
