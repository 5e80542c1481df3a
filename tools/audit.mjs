// `npm run audit`: whether packages that run in production have known holes. Exit code 0: nothing of severity high or
// critical found; 1: found; 2: nobody could be asked. Options are handed on to npm.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { judge, OUTCOMES } from './audit/judgement.mjs';
import { root } from './set-up.mjs';

const TIMEOUT_MS = 5 * 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const FOLDER = join(root, 'tools', 'audit');

const readJson = (name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));

/** @throws Error for a file that says something else than exceptions */
function readExceptions() {
  const exceptions = readJson('exceptions.json');
  const ajv = new Ajv();
  if (!ajv.validate(readJson('exceptions.schema.json'), exceptions)) {
    throw new Error(`tools/audit/exceptions.json: ${ajv.errorsText()}`);
  }
  return exceptions;
}

/** Also where `.npmrc` turns it off, as this repository's does for the sake of installations. */
function askNpm() {
  const args = ['audit', '--audit', '--omit=dev', '--audit-level=high', '--json', ...process.argv.slice(2)];
  const { stdout, error } = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error) throw error;
  return stdout;
}

try {
  const exceptions = readExceptions();
  const { exitCode, lines } = judge(askNpm(), exceptions, new Date().toISOString().slice(0, 10));
  for (const line of lines) console.log(line);
  process.exitCode = exitCode;
} catch (error) {
  console.log(`Not audited: ${error.message}`);
  process.exitCode = OUTCOMES.notJudged;
}
