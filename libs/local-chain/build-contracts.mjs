// Compiles contracts/*.sol and writes src/artifacts.ts: `node libs/local-chain/build-contracts.mjs`. With `--check` it only
// tells whether the file is what the contracts give.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { format, resolveConfig } from 'prettier';

const require = createRequire(import.meta.url);
const folder = new URL('./contracts/', import.meta.url);
const target = new URL('./src/artifacts.ts', import.meta.url);

/** Everything that decides what comes out; without metadata the bytecode has no hash of the sources' names. */
const SETTINGS = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 200 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
  outputSelection: { '*': { '*': ['evm.bytecode.object'] } },
};

/** @returns {[name: string, bytecode: string][]} of each contract that can be deployed */
function compile() {
  const solc = require('solc');
  const sources = Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.sol'))
      .sort()
      .map((name) => [name, { content: readFileSync(new URL(name, folder), 'utf8') }]),
  );
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings: SETTINGS })));
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  return Object.values(output.contracts)
    .flatMap((contracts) => Object.entries(contracts))
    .map(([name, { evm }]) => [name, evm.bytecode.object])
    .filter(([, bytecode]) => bytecode !== '');
}

/** The file as it is to be committed. */
async function render(contracts) {
  const constants = contracts.map(([name, bytecode]) => {
    const constant = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
    return `export const ${constant}_BYTECODE = '0x${bytecode}';`;
  });
  const head = '// Made by build-contracts.mjs from contracts/*.sol.';
  const options = await resolveConfig(target.pathname);
  return format(`${head}\n\n${constants.join('\n\n')}\n`, { ...options, parser: 'typescript' });
}

const file = await render(compile());
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== file) {
    process.stderr.write('src/artifacts.ts is not what contracts/*.sol gives: run build-contracts.mjs\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, file);
}
