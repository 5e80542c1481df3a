// Breaks each rule on purpose and prints, as JSON, what ESLint says: one row for each import or line of code, with what the
// tables expect. Nothing is written to the projects. Loaded by `layers.unit.test.ts`, which cannot load ESLint's own
// configuration because Jest runs CommonJS.
import { ESLint } from 'eslint';
import ts from 'typescript-eslint';
import { LAYERS, PACKAGE_OWNERS, isOwner } from './layers.mjs';
import { readProjects, workspaceRoot } from './projects.mjs';

const IMPORT_RULES = ['@nx/enforce-module-boundaries', 'no-restricted-imports', 'no-restricted-syntax'];

// Needs no types unless its options speak of them; ours do not.
const { '@typescript-eslint/naming-convention': _keep, ...typedRulesOff } = ts.configs.disableTypeChecked.rules;

const projects = readProjects();
const eslint = new ESLint({
  cwd: workspaceRoot,
  // The files do not exist, so no program knows them; the rules under test need no types.
  overrideConfig: { files: ['**/*.ts'], rules: typedRulesOff, languageOptions: { parserOptions: { project: false } } },
});

/** Lints lines as one file and returns the messages of each line. */
async function lintLines(filePath, lines) {
  const [result] = await eslint.lintText(lines.join('\n'), { filePath: `${workspaceRoot}/${filePath}` });
  const fatal = result.messages.find((message) => message.fatal);
  if (fatal) throw new Error(`${filePath}: ${fatal.message}`);
  return lines.map((_, index) => result.messages.filter((message) => message.line === index + 1));
}

/** Rows of one file: `entries` hold a name, a line of code and the rule that must report it, or none. */
async function rowsOf(table, file, entries) {
  const found = await lintLines(
    file,
    entries.map((entry) => entry.code),
  );
  return entries.map((entry, index) => ({
    table,
    file,
    ...entry,
    found: found[index].map(({ ruleId, messageId }) => ({ ruleId, messageId })),
  }));
}

/** The project that stands for a layer as an importer. */
function sampleOf(layer) {
  const sample = projects.find((project) => project.layer === layer);
  if (!sample) throw new Error(`no project has layer ${layer}: its row cannot be tried`);
  return sample;
}

/** Two projects, an importer and an imported one, that do not make a circle; if one pair is declared, that one. */
function pairOf(from, to) {
  const pairs = projects
    .filter((project) => project.layer === from)
    .flatMap((source) =>
      projects.filter((target) => target.layer === to && target !== source).map((target) => [source, target]),
    );
  return (
    pairs.find(([source, target]) => source.dependencies.includes(target.name)) ??
    pairs.find(([source, target]) => !reaches(target, source)) ??
    pairs[0]
  );
}

function reaches(from, to, seen = new Set()) {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return projects.filter(({ name }) => from.dependencies.includes(name)).some((next) => reaches(next, to, seen));
}

/** Layer against layer: all pairs of the table. */
async function layerRows() {
  const rows = [];
  for (const [from, { mayImport }] of Object.entries(LAYERS)) {
    for (const to of Object.keys(LAYERS)) {
      const [source, target] = pairOf(from, to) ?? [];
      if (!source) continue; // A layer of one project has no other project of its own layer.
      const entry = {
        name: `${from} → ${to}`,
        code: `import '${target.name}';`,
        rule: mayImport.includes(to) ? null : '@nx/enforce-module-boundaries',
        declared: source.dependencies.includes(target.name),
        from,
        to,
      };
      rows.push(...(await rowsOf('layer', `${source.root}/src/probe.ts`, [entry])));
    }
  }
  return rows;
}

/** A project of each layer and each owner against each owned package, static and dynamic, in source and in tests. */
async function packageRows() {
  const samples = new Set(Object.keys(LAYERS).map(sampleOf));
  for (const owner of PACKAGE_OWNERS) samples.add(projects.find(({ root }) => isOwner(owner, root)));
  const rows = [];
  for (const project of samples) {
    const owned = PACKAGE_OWNERS.flatMap((owner) =>
      owner.packages.map((pattern) => ({
        pattern,
        mine: isOwner(owner, project.root),
        name: nameLike(pattern, project),
      })),
    );
    for (const file of ['src/probe.ts', 'src/probe.unit.test.ts', 'test/probe.ts']) {
      const entries = owned
        // An owner imports what it declares; what it does not declare is the business of another row.
        .filter(({ mine, name }) => !mine || project.dependencies.includes(name))
        .flatMap(({ pattern, mine, name }) => [
          {
            name: `${project.root}/${file}: ${pattern}`,
            code: `import '${name}';`,
            rule: mine ? null : 'no-restricted-imports',
          },
          {
            name: `${project.root}/${file}: ${pattern}, dynamic`,
            code: `void import('${name}');`,
            rule: mine ? null : 'no-restricted-syntax',
          },
        ]);
      rows.push(...(await rowsOf('package', `${project.root}/${file}`, entries)));
    }
  }
  return rows;
}

/** A name that fits `@scope/*`, one that the project declares where there is one. */
function nameLike(pattern, project) {
  const prefix = pattern.replace('*', '');
  return pattern.endsWith('*')
    ? (project.dependencies.find((name) => name.startsWith(prefix)) ?? `${prefix}any`)
    : pattern;
}

/** Built-in modules for each layer, and packages that are not declared. */
async function builtinRows() {
  const rows = [];
  for (const [layer, { nodeBuiltins }] of Object.entries(LAYERS)) {
    const { root } = sampleOf(layer);
    const source = ['fs', 'net', 'crypto', 'fs/promises'].flatMap((module) => [
      {
        name: `${layer}: node:${module}`,
        code: `import 'node:${module}';`,
        rule: nodeBuiltins === 'all' || nodeBuiltins.includes(module) ? null : 'no-restricted-imports',
      },
      { name: `${layer}: bare ${module}`, code: `import '${module}';`, rule: 'no-restricted-imports' },
    ]);
    source.push(
      { name: `${layer}: node:process`, code: `import 'node:process';`, rule: 'no-restricted-imports' },
      { name: `${layer}: undeclared`, code: `import 'left-pad';`, rule: 'no-restricted-imports' },
      { name: `${layer}: test client in source`, code: `import 'ioredis';`, rule: 'no-restricted-imports' },
      {
        name: `${layer}: conformance in source`,
        code: `import '@sluice/event-log/conformance';`,
        rule: 'no-restricted-imports',
      },
      { name: `${layer}: computed`, code: `void import(String('x'));`, rule: 'no-restricted-syntax' },
      { name: `${layer}: require`, code: `require('left-pad');`, rule: '@typescript-eslint/no-require-imports' },
      { name: `${layer}: relative`, code: `import './other';`, rule: null },
    );
    const tests = [
      { name: `${layer}: node:fs in a test`, code: `import 'node:fs';`, rule: null },
      { name: `${layer}: test client in a test`, code: `import 'ioredis';`, rule: null },
      { name: `${layer}: undeclared in a test`, code: `import 'left-pad';`, rule: 'no-restricted-imports' },
    ];
    rows.push(...(await rowsOf('module', `${root}/src/probe.ts`, source)));
    rows.push(...(await rowsOf('module', `${root}/src/probe.int.test.ts`, tests)));
  }
  const relative = [
    {
      name: 'another project by a relative path',
      code: `import '../../read-model/src/generated/client';`,
      rule: '@nx/enforce-module-boundaries',
    },
  ];
  rows.push(...(await rowsOf('module', 'libs/durable-log-postgres/src/probe.ts', relative)));
  // Their layers may import test support, in tests.
  for (const root of ['libs/registry-source', 'apps/registry-watcher']) {
    const entry = (where, rule) => ({
      name: `${root}: test support in ${where}`,
      code: `import '@sluice/local-chain';`,
      rule,
    });
    rows.push(...(await rowsOf('module', `${root}/src/probe.ts`, [entry('source', 'no-restricted-imports')])));
    rows.push(...(await rowsOf('module', `${root}/src/probe.int.test.ts`, [entry('a test', null)])));
  }
  return rows;
}

/** The habits of the house, one line each. */
async function habitRows() {
  const file = 'libs/event-log/src/probe.ts';
  const env = { name: 'process.env', code: 'export const a = process.env;' };
  const log = { name: 'console', code: "console.log('x');" };
  return [
    ...(await rowsOf('habit', file, [
      { ...env, rule: 'no-restricted-properties' },
      { name: 'process.env taken apart', code: 'export const { env: b } = process;', rule: 'no-restricted-properties' },
      { ...log, rule: 'no-console' },
      { name: 'any', code: 'export let c: any;', rule: '@typescript-eslint/no-explicit-any' },
      { name: 'ts-ignore', code: '// @ts-ignore', rule: '@typescript-eslint/ban-ts-comment' },
      { name: 'ts-expect-error', code: '// @ts-expect-error because', rule: '@typescript-eslint/ban-ts-comment' },
      { name: 'export *', code: "export * from './other';", rule: 'no-restricted-syntax' },
      { name: 'interface IFoo', code: 'export interface IFoo { d: 1 }', rule: '@typescript-eslint/naming-convention' },
      { name: 'class FooImpl', code: 'export class FooImpl { e = 1 }', rule: '@typescript-eslint/naming-convention' },
      { name: 'interface Issue', code: 'export interface Issue { f: 1 }', rule: null },
      { name: 'disabled rule', code: 'debugger; var g; // eslint-disable-line no-var', rule: 'no-var' },
      { name: 'default export', code: 'export default 1;', rule: 'no-restricted-exports' },
    ])),
    ...(await rowsOf('habit', 'libs/event-log/src/probe.unit.test.ts', [
      { name: 'focused test', code: "it.only('x', () => undefined);", rule: 'no-restricted-syntax' },
      { name: 'skipped suite', code: "describe.skip('x', () => undefined);", rule: 'no-restricted-syntax' },
      { name: 'skipped test, short', code: "xit('x', () => undefined);", rule: 'no-restricted-syntax' },
      { name: 'plain test', code: "it('x', () => undefined);", rule: null },
      ...[
        'performance.now() - startedAt).toBeLessThan(5_000)',
        'Date.now() - startedAt).toBeLessThanOrEqual(5_000)',
        '(performance.now() - startedAt) / 1_000).toBeLessThan(5)',
        'elapsedMs).toBeLessThan(5_000)',
        'answer?.latencyMs).toBeLessThan(5_000)',
      ].map((said) => ({ name: `limit on time: ${said}`, code: `expect(${said};`, rule: 'no-restricted-syntax' })),
      ...[
        'performance.now() - startedAt).toBeGreaterThan(50)',
        'expiresAt - Date.now()).toBeLessThan(60_000)',
        'attempts).toBeLessThan(5)',
      ].map((said) => ({ name: `no limit on time: ${said}`, code: `expect(${said};`, rule: null })),
    ])),
    ...(
      await rowsOf('habit', 'libs/event-log/src/long.ts', [
        ...Array.from({ length: 300 }, (_, line) => ({ name: `line ${line + 1} of 301`, code: '//', rule: null })),
        { name: 'line 301', code: '//', rule: 'max-lines' },
      ])
    ).slice(299),
    ...(await rowsOf('habit', 'libs/event-log/src/type-use.ts', [
      {
        name: 'type imported as value',
        code: "import { T } from './t'; export type U = T;",
        rule: '@typescript-eslint/consistent-type-imports',
      },
    ])),
    ...(await rowsOf('habit', 'libs/event-log/src/config.ts', [{ ...env, rule: null }])),
    ...(await rowsOf('habit', 'apps/cli/src/probe.ts', [{ ...log, rule: null }])),
  ];
}

const rows = [...(await layerRows()), ...(await packageRows()), ...(await builtinRows()), ...(await habitRows())];
process.stdout.write(JSON.stringify({ layers: LAYERS, owners: PACKAGE_OWNERS, importRules: IMPORT_RULES, rows }));
