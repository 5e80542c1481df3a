// `npm run faults`: see regression/README.md. Compiles the suite's TypeScript as it is loaded, as the tests are.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { build, installDependencies } from '../set-up.mjs';

const require = createRequire(import.meta.url);
const SET_UP = '--no-set-up';

function compileTypeScript() {
  const { transformSync } = require('@swc/core');
  const [, options] = Object.values(require('../../jest.config.cjs').transform)[0];
  const extensions = require('node:module')._extensions;
  extensions['.ts'] = (module, filename) => {
    const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
    module._compile(code, filename);
  };
}

async function main() {
  const args = process.argv.slice(2);
  if (!args.includes(SET_UP)) {
    await installDependencies((line) => console.log(`${line} ...`));
    await build((line) => console.log(`${line} ...`));
  }
  compileTypeScript();
  const { runFaults } = require('./run-faults.ts');
  return runFaults(args.filter((arg) => arg !== SET_UP));
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
