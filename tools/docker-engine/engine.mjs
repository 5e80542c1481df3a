import { spawn } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BrokerError, lastLines, run } from '../brokers/command.mjs';
import { dockerAnswers } from '../brokers/containers.mjs';
import { untilReady } from '../brokers/ready.mjs';

const PACKAGES = ['docker.io', 'debootstrap', 'iptables', 'iproute2'];
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;
const COMMAND_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 90_000;
const POLL_MS = 100;

/** The environment in which the unpacked programs are found before those of the machine, and the client finds the engine. */
export function engineEnvironment({ programs, clientFolder, dockerHost, childEnv }) {
  const folders = ['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((folder) => join(programs, folder));
  const libraries = [
    'usr/lib/x86_64-linux-gnu',
    'usr/lib/aarch64-linux-gnu',
    'lib/x86_64-linux-gnu',
    'lib/aarch64-linux-gnu',
  ]
    .map((folder) => join(programs, folder))
    .filter((folder) => existsSync(folder));
  const extensions = libraries.map((folder) => join(folder, 'xtables')).filter((folder) => existsSync(folder));
  return {
    ...childEnv,
    PATH: [...folders, childEnv.PATH].join(delimiter),
    LD_LIBRARY_PATH: [...libraries, childEnv.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
    ...(extensions.length > 0 && { XTABLES_LIBDIR: extensions.join(delimiter) }),
    DOCKER_HOST: dockerHost,
    DOCKER_CONFIG: clientFolder,
    DOCKER_BUILDKIT: '1',
    DEBOOTSTRAP_DIR: join(programs, 'usr/share/debootstrap'),
  };
}

/**
 * Runs a program of the engine's folder, or Docker's client; resolves with its output.
 *
 * @throws {BrokerError} with the end of the output where it fails
 */
export async function runTool(config, file, args, { timeoutMs = COMMAND_TIMEOUT_MS, ...options } = {}) {
  const { code, output } = await run(file, args, { timeoutMs, env: engineEnvironment(config), ...options });
  if (code !== 0) throw new BrokerError(`${[file, ...args].join(' ').slice(0, 160)} failed:\n${lastLines(output, 15)}`);
  return output;
}

/** Unpacks Debian's packages into the folder of the engine; nothing is installed on the machine. */
export async function installEngine({ config, log }) {
  if (existsSync(join(config.programs, 'usr', 'sbin', 'dockerd'))) return;
  log('docker: downloading the packages of Debian');
  await mkdir(join(config.archives, 'partial'), { recursive: true });
  const options = ['-o', `Dir::Cache::archives=${config.archives}`, '--no-install-recommends', '--reinstall'];
  const download = ['install', '--download-only', '--yes', ...options, ...PACKAGES];
  await runTool(config, 'apt-get', download, { timeoutMs: DOWNLOAD_TIMEOUT_MS }).catch((error) => {
    throw new BrokerError(`${error.message}\nRun apt-get update first; this tool needs Debian and root`);
  });
  // What an installation left that did not come to its end.
  await rm(config.programs, { recursive: true, force: true });
  for (const file of readdirSync(config.archives).filter((name) => name.endsWith('.deb'))) {
    await runTool(config, 'dpkg-deb', ['--extract', join(config.archives, file), config.programs]);
  }
  await linkFirewall(config);
}

/** The names that a package manager gives to one of the two kinds, at installation. */
async function linkFirewall({ programs }) {
  for (const name of ['iptables', 'ip6tables']) {
    for (const suffix of ['', '-save', '-restore']) {
      await symlink(`${name}-nft${suffix}`, join(programs, 'usr', 'sbin', `${name}${suffix}`));
    }
  }
}

export async function engineAnswers(config) {
  return runTool(config, 'docker', ['version']).then(
    () => true,
    () => false,
  );
}

/** Starts the engine in the background, to run on when this process ends. Does nothing where it runs already. */
export async function startEngine({ config, log }) {
  if (await engineAnswers(config)) return;
  // Two engines would take each other's bridge and rules.
  if (await dockerAnswers({})) throw new BrokerError('docker: an engine runs on this machine already; use that one');
  await mkdir(config.execRoot, { recursive: true });
  const logFile = openSync(config.logFile, 'w');
  const child = spawn(
    'dockerd',
    [
      ['--data-root', config.dataRoot],
      ['--exec-root', config.execRoot],
      ['--pidfile', config.pidFile],
      ['--host', config.dockerHost],
      ['--default-address-pool', `base=${config.subnets},size=24`],
    ].flat(),
    { env: engineEnvironment(config), detached: true, stdio: ['ignore', logFile, logFile] },
  );
  let failure;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code) => (failure = `it ended with ${code}`));
  await untilReady(
    async () => {
      if (!(await engineAnswers(config))) throw new Error('the engine does not answer');
    },
    { deadlineMs: START_TIMEOUT_MS, giveUp: () => failure },
  ).catch((error) => {
    throw new BrokerError(`docker: ${error.message}\n${lastLines(readFileSync(config.logFile, 'utf8'), 10)}`);
  });
  child.removeAllListeners();
  child.unref();
  log(`docker: the engine answers at ${config.dockerHost}`);
}

/** Ends the engine, and with it all its containers. */
export async function stopEngine({ config, log }) {
  const pid = Number(await readFile(config.pidFile, 'utf8').catch(() => '0'));
  if (!(pid > 0) || !isEngine(pid)) return;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isEngine(pid)) {
    if (Date.now() > deadline) throw new BrokerError(`docker: process ${pid} does not end`);
    await delay(POLL_MS);
  }
  log('docker: the engine has ended');
}

/** A process id may have been given to somebody else since it was written down. */
function isEngine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith('dockerd');
  } catch {
    return false;
  }
}

/** Removes everything that this tool has made on the machine. */
export async function removeEngine({ config, log }) {
  await stopEngine({ config, log });
  await rm(config.folder, { recursive: true, force: true });
}
