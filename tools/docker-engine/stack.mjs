import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startBrokers } from '../brokers/brokers.mjs';
import { BrokerError } from '../brokers/command.mjs';
import { APPS } from '../cluster/cluster.mjs';
import { root } from '../set-up.mjs';
import { engineEnvironment, runTool } from './engine.mjs';

const UP_TIMEOUT_MS = 10 * 60_000;
const COMPOSE_FILE = join(root, 'docker', 'compose.yaml');

/** Settings of the stack: an erasure takes half a minute, not eight. Whoever calls compose has to have the same ones. */
function stackEnvironment(config) {
  return { ...engineEnvironment(config), SLUICE_LOG_KEY_MAX_AGE: '15s' };
}

/** `docker compose` on the project's file. @returns {Promise<string>} what it printed */
export function compose(config, args, options = {}) {
  return runTool(config, 'docker', ['compose', '--file', COMPOSE_FILE, ...args], {
    timeoutMs: UP_TIMEOUT_MS,
    env: stackEnvironment(config),
    ...options,
  });
}

/** Brings the stack up from images that are there already; resolves when all is healthy. */
export async function startStack({ config, log }) {
  const startedAtMs = Date.now();
  // One at a time: on a small machine they would only take the processor from each other.
  for (const service of ['kafka', 'nats', 'migrate', ...APPS, 'gateway']) {
    await compose(config, ['up', '--detach', '--no-build', ...(service === 'migrate' ? [] : ['--wait']), service]);
    log(`docker: ${service} after ${Math.round((Date.now() - startedAtMs) / 1000)} s`);
  }
}

/** Ends the stack; with `wipe`, its data and secrets too. */
export async function stopStack({ config, wipe = false }) {
  await compose(config, ['down', '--remove-orphans', ...(wipe ? ['--volumes'] : [])]);
}

/** Addresses and keys, as `dev.json` of the local cluster has them. */
export async function describeStack({ config }) {
  const output = await compose(config, [
    'run',
    '--rm',
    '--no-deps',
    '--no-TTY',
    'welcome',
    'node',
    'welcome.mjs',
    '--json',
  ]);
  return JSON.parse(output.slice(output.indexOf('{"')));
}

/**
 * How long each service took from the start of its container to the line that says it serves.
 *
 * @returns {Promise<{ service: string, startMs: number }[]>}
 */
export async function startTimes({ config, services }) {
  const measured = [];
  for (const service of services) {
    const id = (await compose(config, ['ps', '--quiet', service])).trim();
    const began = Date.parse(
      (await runTool(config, 'docker', ['inspect', '--format={{.State.StartedAt}}', id])).trim(),
    );
    const log = await runTool(config, 'docker', ['logs', '--timestamps', id]);
    // A container that was started again has the lines of its earlier lives too.
    const started = log.split('\n').filter((text) => text.includes('"started"'));
    const served = started.map((line) => Date.parse(line.split(' ')[0])).find((moment) => moment >= began);
    if (served !== undefined) measured.push({ service, startMs: served - began });
  }
  return measured;
}

/** The end-to-end tests that need no more than addresses and keys; their output is shown as it comes. */
export async function checkStack({ config }) {
  const env = { ...stackEnvironment(config), SLUICE_TEST_STACK: JSON.stringify(await describeStack({ config })) };
  const args = [join(root, 'node_modules/jest/bin/jest.js'), '--testMatch=**/*.docker.test.ts', '--runInBand'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) throw new BrokerError('the tests failed');
}

/** Brokers as tests have them where Docker is: as containers, and in no other way. */
export async function checkContainers({ config, log }) {
  const settings = { RYUK_DISABLED: 'true', HOST_OVERRIDE: '127.0.0.1' };
  const variables = Object.entries(settings).map(([name, value]) => [`TESTCONTAINERS_${name}`, value]);
  Object.assign(process.env, engineEnvironment(config), Object.fromEntries(variables));
  const brokers = await startBrokers({ sources: ['container'], log });
  await brokers.stop();
}
