import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerError } from '../brokers/command.mjs';
import { engineEnvironment, runTool } from './engine.mjs';

const MODULE = 'github.com/docker/compose/v2';
const VERSION = 'v2.40.3';
const BUILD_TIMEOUT_MS = 30 * 60_000;

/** Debian's Docker has no `docker compose`: it is built by Go, from its module, into the client's own folder. */
export async function installCompose({ config, log }) {
  const plugin = join(config.clientFolder, 'cli-plugins', 'docker-compose');
  if (existsSync(plugin)) return;
  log(`docker: building compose ${VERSION} with Go (once, some minutes)`);
  const source = join(config.folder, 'compose-source');
  await rm(source, { recursive: true, force: true });
  const described = await runTool(config, 'go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], {
    timeoutMs: BUILD_TIMEOUT_MS,
    cwd: config.folder,
  });
  const { Dir: module } = parseJson(described);
  // Its manifest leaves out versions of others, which `go install` would not obey: so it is built as the main module.
  await cp(module, source, { recursive: true });
  await runTool(config, 'chmod', ['-R', 'u+w', source]);
  await mkdir(join(config.clientFolder, 'cli-plugins'), { recursive: true });
  const flags = ['-trimpath', '-ldflags', `-s -w -X ${MODULE}/internal.Version=${VERSION}`];
  const env = { ...engineEnvironment(config), CGO_ENABLED: '0' };
  await runTool(config, 'go', ['build', ...flags, '-o', `${plugin}.new`, './cmd'], {
    timeoutMs: BUILD_TIMEOUT_MS,
    cwd: source,
    env,
  });
  await rename(`${plugin}.new`, plugin);
  await rm(source, { recursive: true, force: true });
}

/** Warnings may stand before it. */
function parseJson(output) {
  const start = output.indexOf('{');
  if (start === -1) throw new BrokerError(`go mod download said no JSON:\n${output}`);
  return JSON.parse(output.slice(start));
}
