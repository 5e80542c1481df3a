import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const workspace = join(__dirname, '..', '..');
const typescript = join(workspace, 'node_modules/typescript/bin/tsc');

/** Runs a program to its end. @throws Error with its output when it fails */
function run(cwd: string, file: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

const node = (cwd: string, ...args: readonly string[]) => run(cwd, process.execPath, args);

interface Publishable {
  readonly name: string;
  /** All that it may depend on. */
  readonly dependencies: readonly string[];
  /** What a stranger imports, and a type of it. */
  readonly names: string;
  readonly type: string;
  /** A program with these names, and what it prints. */
  readonly use: string;
  readonly printed: string;
  /** Whose types its users need to have. */
  readonly runsOn: 'any' | 'node';
}

const PACKAGES: readonly Publishable[] = [
  {
    name: 'event-schema',
    dependencies: ['uuid', 'zod'],
    names: 'brokerNames, eventEnvelopeSchema, fromCloudEvent, newEventId, toCloudEvent',
    type: 'EventEnvelope',
    use: `
      const event = eventEnvelopeSchema.parse({
        id: newEventId(), family: 'sandbox', entityId: 'sandbox-123', workspaceId: 1, type: 'custom.event',
        schemaVersion: 1, occurredAt: 1, data: { a: 1 },
      });
      console.log(JSON.stringify(fromCloudEvent(toCloudEvent(event)).data), brokerNames('sluice').topic);
    `,
    printed: '{"a":1} sluice.events.v1\n',
    runsOn: 'any',
  },
  {
    name: 'sandbox-events-client',
    dependencies: [],
    names: 'createEventsClient, createPubSubClient, EventsAuthError, EventTypes',
    type: 'SandboxEvent',
    use: `
      const pubsub = createPubSubClient({ accessToken: 'token', sandboxId: 'sandbox-123' });
      console.log(pubsub.getState(), typeof createEventsClient().storeEvent, EventsAuthError.name, EventTypes.CUSTOM);
    `,
    printed: 'disconnected function EventsAuthError custom\n',
    runsOn: 'node',
  },
];

describe.each(PACKAGES)('$name as a stranger gets it', ({ name, dependencies, names, type, use, printed, runsOn }) => {
  const library = join(workspace, 'libs', name);
  const packageName = `@sluice/${name}`;
  let folder: string;
  let contents: string[];

  /** A project that has the packed library and its dependencies, and nothing else of the workspace. */
  beforeAll(() => {
    node(workspace, typescript, '-b', join(library, 'tsconfig.build.json'));
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-pack-')));
    const pack = ['pack', '--json', '--offline', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
    const [packed] = JSON.parse(run(library, 'npm', pack)) as [{ filename: string; files: { path: string }[] }];
    contents = packed.files.map(({ path }) => path);
    const installed = join(folder, 'node_modules', packageName);
    mkdirSync(installed, { recursive: true });
    run(installed, 'tar', ['-xzf', join(folder, packed.filename), '--strip-components=1']);
    for (const dependency of dependencies) {
      const resolved = require.resolve(`${dependency}/package.json`, { paths: [library] });
      symlinkSync(dirname(resolved), join(folder, 'node_modules', dependency));
    }
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds the build with its types and sources, a README and a licence, and neither tests nor build state', () => {
    expect(contents).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'dist/index.js.map'],
        'src/index.ts',
      ]),
    );
    expect(contents.filter((path) => /test|tsbuildinfo|node_modules/.test(path))).toEqual([]);
  });

  it('may be published, names its licence, and depends on nothing but what is listed, at fixed versions', () => {
    const manifest = JSON.parse(node(folder, '-p', `JSON.stringify(require('${packageName}/package.json'))`)) as Record<
      string,
      unknown
    >;
    expect(manifest['private']).toBeUndefined();
    expect(manifest['license']).toBe('Apache-2.0');
    expect(Object.keys(manifest['dependencies'] as object).sort()).toEqual(dependencies);
    for (const version of Object.values(manifest['dependencies'] as object)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('is required by CommonJS', () => {
    writeFileSync(join(folder, 'use.cjs'), `const { ${names} } = require('${packageName}');${use}`);
    expect(node(folder, 'use.cjs')).toBe(printed);
  });

  it('is imported by name by ESM', () => {
    writeFileSync(join(folder, 'use.mjs'), `import { ${names} } from '${packageName}';${use}`);
    expect(node(folder, 'use.mjs')).toBe(printed);
  });

  it('has types for both, which a strict compiler takes without the sources', () => {
    for (const extension of ['cts', 'mts']) {
      const typed = `import { ${names}, type ${type} } from '${packageName}';${use}
        export const typed = (value: ${type}): string => value.id;`;
      writeFileSync(join(folder, `use.${extension}`), typed);
    }
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2022', strict: true, noEmit: true, skipDefaultLibCheck: true },
      types: runsOn === 'node' ? ['node'] : [],
      typeRoots: [join(workspace, 'node_modules/@types')],
      // With the DOM library for `console`, which is in every host.
      lib: ['es2023', 'dom'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.cts', 'use.mts'] }));
    expect(node(folder, typescript, '-p', 'tsconfig.json')).toBe('');
  });
});
