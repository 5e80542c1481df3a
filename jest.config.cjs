/** One Jest for the whole workspace: levels are told by the file name (unit, int, e2e). */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/tools', '<rootDir>/e2e', '<rootDir>/regression'],
  testMatch: ['**/*.(unit|int|e2e).test.ts'],
  modulePathIgnorePatterns: ['/dist/'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json'],
  testEnvironmentOptions: { customExportConditions: ['@sluice/source', 'node', 'require', 'default'] },
  // The only limit on time: wide, because a slow machine is not wrong.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/tools/jest/slowest-first.cjs',
  runtime: '<rootDir>/tools/jest/compile-once.cjs',
  // The modules of each file stay in its worker: one that has grown so far is replaced by a new one.
  workerIdleMemoryLimit: '1GB',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
};
