import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerError } from '../brokers/command.mjs';
import { root } from '../set-up.mjs';
import { runTool } from './engine.mjs';

const BUILD_TIMEOUT_MS = 30 * 60_000;

/** Every app has an image; all are made from the one Dockerfile. */
export const APPS = readdirSync(join(root, 'apps')).sort();

/** All packages of the platform have one version. */
export const VERSION = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;

export const imageOf = (app) => `sluice/${app}:${VERSION}`;

/**
 * Builds the images of apps from the tree as it is.
 *
 * @param {{ config: ReturnType<typeof import('./config.mjs').readConfig>, apps?: readonly string[], log: (line: string) => void }} parts
 */
export async function buildImages({ config, apps = APPS, log }) {
  const unknown = apps.find((app) => !APPS.includes(app));
  if (unknown !== undefined) throw new BrokerError(`unknown app "${unknown}"; there are: ${APPS.join(', ')}`);
  const { revision, committedAtSeconds } = await lastCommit(config);
  const secrets = [
    ...(config.caFile ? ['--secret', `id=ca,src=${config.caFile}`] : []),
    ...(config.npmrc ? ['--secret', `id=npmrc,src=${config.npmrc}`] : []),
  ];
  for (const app of apps) {
    const startedAtMs = Date.now();
    const values = { APP: app, VERSION, REVISION: revision, SOURCE_DATE_EPOCH: committedAtSeconds };
    const args = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    await runTool(
      config,
      'docker',
      ['build', '--progress=plain', '--file=docker/Dockerfile', ...secrets, ...args, `--tag=${imageOf(app)}`, '.'],
      { cwd: root, timeoutMs: BUILD_TIMEOUT_MS },
    );
    log(`docker: ${imageOf(app)} after ${Math.round((Date.now() - startedAtMs) / 1000)} s`);
  }
}

/** What the files are of, as far as is known: an archive of the sources has no history. */
async function lastCommit(config) {
  const output = await runTool(config, 'git', ['log', '-1', '--format=%H %ct'], { cwd: root }).catch(() => 'unknown 0');
  const [revision, committedAtSeconds] = output.trim().split(' ');
  return { revision, committedAtSeconds };
}

/** @returns {Promise<{ image: string, megabytes: number }[]>} */
export async function sizesOfImages({ config, apps = APPS }) {
  const output = await runTool(config, 'docker', ['image', 'inspect', '--format={{.Size}}', ...apps.map(imageOf)]);
  const sizes = output.trim().split('\n').map(Number);
  return apps.map((app, index) => ({ image: imageOf(app), megabytes: Math.round(sizes[index] / 1e6) }));
}
