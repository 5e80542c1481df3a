import nx from '@nx/eslint-plugin';
import ts from 'typescript-eslint';
import { importRulesOf } from './tools/lint/import-rules.mjs';
import { nxDepConstraints } from './tools/lint/layers.mjs';
import { makeProjectGraph } from './tools/lint/project-graph.mjs';
import { readJson, readProjects, workspaceRoot } from './tools/lint/projects.mjs';
// The rules that know types need the generated Prisma client; this makes it where it is missing.
import './tools/prisma-generate.mjs';

await makeProjectGraph();

const TYPED_FILES = readJson('tsconfig.check.json').include;

/** What a test says to have taken at most so long. */
const SHORTER_THAN =
  'CallExpression[callee.property.name=/^toBeLessThan(OrEqual)?$/] > MemberExpression > CallExpression[callee.name="expect"]';
const NO_TIME_LIMIT =
  'No assertion on how long something took: a slow machine is not wrong. Prove it by order, by counts or by a clock of the test; the timeout of the test is the only limit.';

/** Holds in every file; see `importRulesOf` for why it is handed on. */
const SYNTAX = [
  { selector: 'ExportAllDeclaration', message: 'Name each export.' },
  {
    selector: 'MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(only|skip|todo|failing)$/]',
    message: 'No focused and no skipped tests.',
  },
  {
    selector: 'CallExpression[callee.name=/^(fdescribe|fit|xdescribe|xit|xtest)$/]',
    message: 'No focused and no skipped tests.',
  },
  {
    selector: `${SHORTER_THAN} BinaryExpression[operator="-"] > CallExpression.left[callee.property.name="now"]`,
    message: NO_TIME_LIMIT,
  },
  { selector: `${SHORTER_THAN} Identifier[name=/^(elapsed|duration|latency|took)/]`, message: NO_TIME_LIMIT },
];

export default ts.config(
  {
    ignores: [
      '**/node_modules',
      '**/dist',
      '**/generated',
      '**/coverage',
      '.nx',
      '.sluice',
      'bench-results',
      'e2e/samples',
    ],
  },
  // No comment switches a rule off.
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  {
    languageOptions: {
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly'])),
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-eval': 'error',
      'no-constant-binary-expression': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-undef': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Read it in config.ts.' }],
      'no-restricted-syntax': ['error', ...SYNTAX],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [ts.configs.strict],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } },
    rules: {
      'max-lines': ['error', 300],
      'no-undef': 'off',
      'no-unused-vars': 'off',
      '@nx/enforce-module-boundaries': [
        'error',
        // What is loaded late by one file may be needed at once by another: these are processes, not bundles.
        { allow: [], checkDynamicDependenciesExceptions: ['.*'], depConstraints: nxDepConstraints() },
      ],
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': true, 'ts-ignore': true, 'ts-nocheck': true, 'ts-check': true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'typeLike', format: ['PascalCase'], custom: { regex: 'Impl$', match: false } },
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]|Impl$', match: false } },
      ],
    },
  },
  {
    files: TYPED_FILES,
    // One program for all projects: less than half the time of a program for each.
    languageOptions: { parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: workspaceRoot } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // An inferred `any` is as blind as a written one. Tests may look into parsed JSON.
    files: ['{apps,libs}/*/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/conformance/**'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-unsafe-member-access': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
    },
  },
  ...readProjects().flatMap((project) => importRulesOf(project, SYNTAX)),
  {
    files: [
      '**/config.ts',
      'docker/**/config.mjs',
      '**/config.unit.test.ts',
      '**/prisma.config.ts',
      'tools/**',
      '**/examples/**',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['tools/**', 'apps/cli/**', '**/examples/**'], rules: { 'no-console': 'off' } },
  // Examples stand outside the layers: they import the published packages as a stranger would.
  // Samples of a document, as they are written there.
  {
    files: ['**/examples/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off', '@typescript-eslint/no-unused-vars': 'off' },
  },
  { files: ['**/*.config.{ts,mjs,cjs}'], rules: { 'no-restricted-exports': 'off' } },
  {
    // A type test states what must not compile.
    files: ['**/*.type-test.ts'],
    rules: { '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }] },
  },
);
