import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * What the environment says to this tool, read in one place.
 *
 * `SLUICE_DOCKER_DIR`: where everything of the engine is, images too. `SLUICE_DEBIAN_MIRROR`: where the base image comes
 * from. `SLUICE_DOCKER_SUBNETS`: addresses that nothing else on this machine uses. `SLUICE_BUILD_CA_FILE` and
 * `SLUICE_BUILD_NPMRC`: a CA bundle and settings of npm for builds behind a proxy or with a registry of one's own.
 *
 * @param {Record<string, string | undefined>} [env]
 */
export function readConfig(env = process.env) {
  const folder = env.SLUICE_DOCKER_DIR || join(homedir(), '.cache', 'sluice', 'docker-engine');
  const socket = join(folder, 'docker.sock');
  return {
    folder,
    /** Debian's packages, unpacked. */
    programs: join(folder, 'programs'),
    archives: join(folder, 'archives'),
    rootFileSystem: join(folder, 'debian'),
    contexts: join(folder, 'contexts'),
    /** Settings and plugins of Docker's client. */
    clientFolder: join(folder, 'client'),
    dataRoot: join(folder, 'data'),
    execRoot: join(folder, 'run'),
    pidFile: join(folder, 'dockerd.pid'),
    logFile: join(folder, 'dockerd.log'),
    socket,
    dockerHost: `unix://${socket}`,
    subnets: env.SLUICE_DOCKER_SUBNETS || '172.31.192.0/18',
    debianMirror: env.SLUICE_DEBIAN_MIRROR || 'http://deb.debian.org/debian',
    caFile: env.SLUICE_BUILD_CA_FILE,
    npmrc: env.SLUICE_BUILD_NPMRC,
    childEnv: env,
  };
}
