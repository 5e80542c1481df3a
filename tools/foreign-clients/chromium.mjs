import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../brokers/command.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const UPDATE_TIMEOUT_MS = 120_000;
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * Path of a Chromium: the one that `SLUICE_TEST_CHROMIUM` names, one on the path, or Debian's, installed here and now
 * where this user may. Undefined, with a line in the log, where there is none.
 *
 * @param {{ env?: Record<string, string | undefined>, log?: (line: string) => void }} [options]
 */
export async function findChromium({ env = process.env, log = () => undefined } = {}) {
  const found = env.SLUICE_TEST_CHROMIUM?.trim() || onPath(env);
  if (found) return found;
  if (process.getuid?.() === 0 && (await install(log))) return onPath(env);
  log('no Chromium: no browser test is run (SLUICE_TEST_CHROMIUM names one)');
  return undefined;
}

function onPath(env) {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}

/** By the packages of Debian and its kin; false where that is not possible. */
async function install(log) {
  const aptGet = (args, timeoutMs) =>
    run('apt-get', ['-qq', ...args], { timeoutMs, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    log('installing Chromium');
    await aptGet(['update'], UPDATE_TIMEOUT_MS);
    const { code } = await aptGet(['install', '-y', '--no-install-recommends', 'chromium'], INSTALL_TIMEOUT_MS);
    return code === 0;
  } catch (error) {
    log(`Chromium cannot be installed: ${error.message}`);
    return false;
  }
}
