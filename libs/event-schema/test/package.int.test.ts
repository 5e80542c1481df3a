import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const library = join(__dirname, '..');
const workspace = join(library, '../..');
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

const USE = `
  const event = eventEnvelopeSchema.parse({
    id: newEventId(), family: 'sandbox', entityId: 'sandbox-123', workspaceId: 1, type: 'custom.event',
    schemaVersion: 1, occurredAt: 1, data: { a: 1 },
  });
  console.log(JSON.stringify(fromCloudEvent(toCloudEvent(event)).data), brokerNames('sluice').topic);
`;
const NAMES = 'brokerNames, eventEnvelopeSchema, fromCloudEvent, newEventId, toCloudEvent';
const PRINTED = '{"a":1} sluice.events.v1\n';

describe('the package as a stranger gets it', () => {
  let folder: string;
  let contents: string[];

  /** A project that has the packed library and its dependencies, and nothing else of the workspace. */
  beforeAll(() => {
    node(workspace, typescript, '-b', join(library, 'tsconfig.build.json'));
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'event-schema-')));
    const pack = ['pack', '--json', '--offline', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
    const [packed] = JSON.parse(run(library, 'npm', pack)) as [{ filename: string; files: { path: string }[] }];
    contents = packed.files.map(({ path }) => path);
    const installed = join(folder, 'node_modules/@sluice/event-schema');
    mkdirSync(installed, { recursive: true });
    run(installed, 'tar', ['-xzf', join(folder, packed.filename), '--strip-components=1']);
    for (const name of ['zod', 'uuid']) {
      symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(folder, 'node_modules', name));
    }
  }, 60_000);

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

  it('may be published, names its licence, and depends on zod and uuid at fixed versions only', () => {
    const manifest = JSON.parse(
      node(folder, '-p', 'JSON.stringify(require("@sluice/event-schema/package.json"))'),
    ) as Record<string, unknown>;
    expect(manifest['private']).toBeUndefined();
    expect(manifest['license']).toBe('Apache-2.0');
    expect(Object.keys(manifest['dependencies'] as object).sort()).toEqual(['uuid', 'zod']);
    for (const version of Object.values(manifest['dependencies'] as object)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('is required by CommonJS', () => {
    writeFileSync(join(folder, 'use.cjs'), `const { ${NAMES} } = require('@sluice/event-schema');${USE}`);
    expect(node(folder, 'use.cjs')).toBe(PRINTED);
  });

  it('is imported by name by ESM', () => {
    writeFileSync(join(folder, 'use.mjs'), `import { ${NAMES} } from '@sluice/event-schema';${USE}`);
    expect(node(folder, 'use.mjs')).toBe(PRINTED);
  });

  it('has types for both, which a strict compiler takes without the sources', () => {
    for (const extension of ['cts', 'mts']) {
      const typed = `import { ${NAMES}, type EventEnvelope } from '@sluice/event-schema';${USE}
        const typed: EventEnvelope = event; console.log(typed.id.length);`;
      writeFileSync(join(folder, `use.${extension}`), typed);
    }
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2022', strict: true, noEmit: true, skipDefaultLibCheck: true, types: [] },
      // With the DOM library for `console`: a stranger need not have the types of Node.js.
      lib: ['es2023', 'dom'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.cts', 'use.mts'] }));
    expect(node(folder, typescript, '-p', 'tsconfig.json')).toBe('');
  }, 60_000);
});
