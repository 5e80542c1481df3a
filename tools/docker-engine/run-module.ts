import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(__dirname, '..', '..');

/** Runs a module that writes JSON to standard output, in a process of its own: tests cannot import ES modules. */
export function evaluate<Result>(script: string): Result {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(output) as Result;
}
