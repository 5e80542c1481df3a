import { builtinModules } from 'node:module';
import { LAYERS, PACKAGE_OWNERS, isOwner } from './layers.mjs';
import { sharedDevDependencies } from './projects.mjs';

/** Files of a project that only its tests and its development tools load. */
const TEST_FILES = ['**/*.test.ts', 'test/**/*.ts', 'src/conformance/**/*.ts', '*.config.ts'];
/** Written as a stranger would write them. */
const EXAMPLES = 'examples/**';
const BARE_BUILTINS = builtinModules.filter((name) => !name.startsWith('_') && !name.startsWith('node:'));

/**
 * What one project may import from outside the workspace, for its source and for its tests. Nx knows the layers of
 * projects; it knows neither the built-in modules nor which of two projects declares a package, so this is told to ESLint.
 *
 * @param syntax the selectors of `no-restricted-syntax` that hold everywhere: a later entry replaces an earlier one.
 */
export function importRulesOf(project, syntax) {
  const source = [...ownedPackages(project), ...builtins(project), ...deepImports('')];
  const tests = [...ownedPackages(project), ...bareBuiltins(), ...deepImports('(?!conformance$)')];
  return [
    entry(
      [`${project.root}/**/*.ts`],
      [...TEST_FILES, EXAMPLES].map((glob) => `${project.root}/${glob}`),
      [...source, undeclared(project.dependencies, 'in dependencies of its package.json')],
      syntax,
    ),
    entry(
      TEST_FILES.map((glob) => `${project.root}/${glob}`),
      [`${project.root}/${EXAMPLES}`],
      [
        ...tests,
        undeclared(
          [...project.dependencies, ...project.devDependencies, ...sharedDevDependencies],
          'in its package.json or in devDependencies of the root',
        ),
      ],
      syntax,
    ),
  ];
}

function entry(files, ignores, patterns, syntax) {
  const dynamic = [
    {
      selector: 'ImportExpression[source.type!="Literal"]',
      message: 'Import a literal name, so that it can be checked.',
    },
    ...patterns.map(({ regex, message }) => ({
      selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\x2F')}/]`,
      message,
    })),
  ];
  return {
    files,
    ignores,
    rules: {
      'no-restricted-imports': ['error', { patterns }],
      'no-restricted-syntax': ['error', ...syntax, ...dynamic],
    },
  };
}

function ownedPackages({ root }) {
  return PACKAGE_OWNERS.filter((owner) => !isOwner(owner, root)).map(({ packages, projects }) => ({
    regex: `^(?:${alternatives(packages)})(?:/|$)`,
    message: `Only ${projects.join(' and ')} may import this package (tools/lint/layers.mjs).`,
  }));
}

function builtins({ layer }) {
  const allowed = LAYERS[layer].nodeBuiltins;
  if (allowed === 'all') return bareBuiltins();
  const message = `Layer ${layer} imports ${allowed.length === 0 ? 'no' : 'few'} built-in modules of Node.js (tools/lint/layers.mjs).`;
  return [{ regex: `^node:(?!(?:${allowed.join('|') || '-'})$)`, message }, ...bareBuiltins()];
}

function bareBuiltins() {
  return [
    { regex: `^(?:${alternatives(BARE_BUILTINS)})$`, message: 'Write the node: prefix.' },
    { regex: '^node:process$', message: 'Use the global `process`; its `env` is read in config.ts only.' },
  ];
}

function deepImports(exception) {
  return [
    {
      regex: `^@sluice/[^/]+/${exception}`,
      message: 'Import the entry of the package; tests may also import /conformance.',
    },
  ];
}

function undeclared(names, where) {
  const known = [...names.map(escape), ...BARE_BUILTINS.map(escape), '\\.{1,2}', 'node:.*'].join('|');
  return { regex: `^(?!(?:${known})(?:/|$))`, message: `Declare the package ${where}.` };
}

function alternatives(names) {
  return names.map((name) => escape(name).replace('\\*', '[^/]+')).join('|');
}

function escape(name) {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
