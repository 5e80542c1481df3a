import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './run-module';

const run = promisify(execFile);
/** A small one with a database. */
const APP = 'ingest';
const EPOCH_SECONDS = 1_700_000_000;

let folder: string;
const root = (): string => join(folder, 'out', 'root');
const app = (): string => join(root(), 'app');

/** Every file, folder and link below a folder, by its path in there. */
function lstatsBelow(path: string, inside = ''): readonly { readonly path: string; readonly mtimeMs: number }[] {
  return readdirSync(join(path, inside), { withFileTypes: true }).flatMap((entry) => {
    const own = join(inside, entry.name);
    const { mtimeMs } = lstatSync(join(path, own));
    return [{ path: own, mtimeMs }, ...(entry.isDirectory() ? lstatsBelow(path, own) : [])];
  });
}

/** Of paths, kinds, modes, times, bytes, and where links lead. */
function hashOf(path: string): string {
  const hash = createHash('sha256');
  for (const { path: inside, mtimeMs } of [...lstatsBelow(path)].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const entry = join(path, inside);
    const stats = lstatSync(entry);
    hash.update(`${inside} ${stats.mode} ${mtimeMs} `);
    if (stats.isSymbolicLink()) hash.update(readlinkSync(entry));
    else if (stats.isFile()) hash.update(readFileSync(entry));
  }
  return hash.digest('hex');
}

/** With the files' modes that the user's mask leaves. */
const bundle = (out: string, mask = '022') =>
  run(
    'sh',
    ['-c', `umask ${mask} && exec "$0" "$@"`, process.execPath, 'docker/image/bundle.mjs', '--app', APP, '--out', out],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: folder, SOURCE_DATE_EPOCH: String(EPOCH_SECONDS) },
    },
  );

/** Runs in the laid-out folder, with nothing of this repository to fall back on. */
async function runInside(file: string, args: readonly string[], env: Record<string, string>) {
  return run(file, args, { cwd: app(), env: { PATH: process.env['PATH'], ...env } }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    (error: unknown) => error as { code: number; stdout: string; stderr: string },
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
  await bundle(join(folder, 'out'));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the file system of an image', () => {
  it('runs the app, with settings from a file where it is told of one', async () => {
    expect(await runInside('./start', ['--check-config'], { SLUICE_ENGINE: 'memory' })).toMatchObject({ code: 0 });
    const missing = await runInside('./start', ['--check-config'], {});
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('SLUICE_DATABASE_URL') });
    const file = join(ROOT, 'tools', 'docker-engine', 'fixtures', 'memory.env');
    expect(await runInside('./start', ['--check-config'], { SLUICE_ENV_FILE: file })).toMatchObject({ code: 0 });
  });

  it('has a migration that says in one line, without credentials, why it cannot run', async () => {
    const missing = await runInside(process.execPath, ['migrate.mjs'], {});
    expect(missing).toMatchObject({ code: 1, stderr: 'SLUICE_DATABASE_URL is required\n' });
    const unreachable = 'postgresql://sluice:hidden@127.0.0.1:1/sluice';
    const failed = await runInside(process.execPath, ['migrate.mjs'], { SLUICE_DATABASE_URL: unreachable });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^PostgreSQL cannot be reached/);
    expect(failed.stderr).not.toContain('hidden');
  });

  it('makes the secrets of a stack once, and gives the apps what they can start with', async () => {
    const data = join(folder, 'data');
    const make = () => runInside(process.execPath, ['dev-secrets.mjs'], { SLUICE_DATA_DIR: data });
    expect(await make()).toMatchObject({ code: 0 });
    const made = readFileSync(join(data, 'sluice.env'), 'utf8');
    expect(made.split('\n').map((line) => line.split('=')[0])).toEqual([
      'SLUICE_DATABASE_URL',
      'SLUICE_TOKEN_SECRETS',
      'SLUICE_OPERATOR_KEYS',
      'SLUICE_SECRETS_KEY',
      '',
    ]);
    const password = readFileSync(join(data, 'postgres-password'), 'utf8');
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(made).toContain(`postgresql://sluice:${password}@postgres:5432/sluice\n`);
    // Who shares the folder, as PostgreSQL does, reads its own password alone.
    const modes = ['sluice.env', 'secrets.json', 'postgres-password'].map(
      (file) => lstatSync(join(data, file)).mode & 0o777,
    );
    expect(modes).toEqual([0o400, 0o600, 0o444]);
    expect(await make()).toMatchObject({ code: 0 });
    expect(readFileSync(join(data, 'sluice.env'), 'utf8')).toBe(made);
    const told = { SLUICE_ENGINE: 'embedded', SLUICE_ENV_FILE: join(data, 'sluice.env') };
    expect(await runInside('./start', ['--check-config'], told)).toMatchObject({ code: 0 });
  });

  it('lists in its bill of materials every package that it holds', () => {
    const { components } = JSON.parse(readFileSync(join(app(), 'sbom.cdx.json'), 'utf8')) as {
      components: readonly { group?: string; name: string; version: string; 'bom-ref': string }[];
    };
    const listed = new Set(components.map((component) => component['bom-ref']));
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version?: string; link?: boolean }>;
    };
    const held = Object.entries(lock.packages).flatMap(([location, { version, link }]) =>
      location.includes('node_modules/') && !link && existsSync(join(app(), location, 'package.json'))
        ? [`${location.split('node_modules/').at(-1) ?? ''}@${version ?? ''}`]
        : [],
    );
    expect(held.length).toBeGreaterThan(100);
    expect(held.filter((name) => !listed.has(name))).toEqual([]);
  });

  it('has no sources, types, tests or maps of others, and nothing outside of its folders', () => {
    const paths = lstatsBelow(root()).map(({ path }) => path);
    expect(paths.filter((path) => /\.(?:ts|tsbuildinfo)$/.test(path))).toEqual([]);
    expect(paths.filter((path) => path.includes('node_modules/') && path.endsWith('.map'))).toEqual([]);
    expect(paths.some((path) => path === 'app/apps/ingest/dist/main.js.map')).toBe(true);
    expect(new Set(paths.map((path) => path.split('/')[0]))).toEqual(new Set(['app', 'etc']));
  });

  it('does not tell when it was made', () => {
    const times = new Set(lstatsBelow(root()).map(({ mtimeMs }) => mtimeMs));
    expect([...times]).toEqual([EPOCH_SECONDS * 1_000]);
    const { metadata } = JSON.parse(readFileSync(join(app(), 'sbom.cdx.json'), 'utf8')) as {
      metadata: { timestamp: string };
    };
    expect(Date.parse(metadata.timestamp)).toBe(EPOCH_SECONDS * 1_000);
  });

  it('has the same bytes, modes and times when it is made again, whatever the mask of its maker', async () => {
    const again = join(folder, 'again');
    await bundle(again, '077');
    expect(hashOf(join(again, 'root'))).toBe(hashOf(root()));
    expect(lstatSync(join(again, 'data')).mode).toBe(lstatSync(join(folder, 'out', 'data')).mode);
  });
});
