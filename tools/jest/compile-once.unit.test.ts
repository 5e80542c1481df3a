import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const JEST = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
let rootDir: string;

beforeEach(() => {
  rootDir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-jest-')));
});
afterEach(() => rmSync(rootDir, { recursive: true, force: true }));

/** What Jest says of these files, all in one process. */
function runJest(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(rootDir, name)), { recursive: true });
    writeFileSync(join(rootDir, name), text);
  }
  const config = JSON.stringify({ rootDir, runtime: join(__dirname, 'compile-once.cjs'), transform: {} });
  const args = [JEST, '--runInBand', '--no-watchman', '--config', config];
  // Colours would stand between the words.
  const env = { ...process.env, FORCE_COLOR: '0' };
  return spawnSync(process.execPath, args, { cwd: rootDir, env, encoding: 'utf8' }).stderr;
}

it('gives each test file modules of its own', () => {
  const test = `
    const { count } = require('./count');
    it('is the first to count', () => expect(count()).toBe(1));`;
  const said = runJest({
    'count.js': 'let n = 0; exports.count = () => ++n;',
    'a.test.js': test,
    'b.test.js': test,
  });
  expect(said).toContain('Tests:       2 passed, 2 total');
});

it('reads what is installed once', () => {
  const test = `
    it('is as it was first', () => {
      expect(require('told')).toBe('first');
      require('fs').writeFileSync(require.resolve('told'), 'module.exports = "second"');
    });`;
  const said = runJest({
    'node_modules/told/index.js': 'module.exports = "first"',
    'a.test.js': test,
    'b.test.js': test,
  });
  expect(said).toContain('Tests:       2 passed, 2 total');
});

it('says where something was thrown, on the first line of a file too', () => {
  const said = runJest({
    'thrower.js':
      'exports.first = () => { throw new Error("one"); };\nexports.second = () => { throw new Error("two"); };',
    'a.test.js': `
      const { first, second } = require('./thrower');
      it('one', () => first());
      it('two', () => second());`,
  });
  expect(said).toContain('(thrower.js:1:31)');
  expect(said).toContain('(thrower.js:2:32)');
});

it('says which file cannot be compiled', () => {
  const said = runJest({ 'broken.js': 'const = 1;', 'a.test.js': `it('loads', () => require('./broken'));` });
  expect(said).toContain("SyntaxError: Unexpected token '='");
  expect(said).toContain('broken.js:1');
});
