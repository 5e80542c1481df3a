import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLines, run } from '../brokers/command.mjs';

const REQUIREMENTS = join(dirname(fileURLToPath(import.meta.url)), 'requirements.txt');
const MAKE_TIMEOUT_MS = 180_000;

/**
 * Path of a Python that has the packages of `requirements.txt`: the one that `SLUICE_TEST_PYTHON` names, or an environment
 * of its own, made once per user. Undefined, with a line in the log, where there is none.
 *
 * @param {{ env?: Record<string, string | undefined>, log?: (line: string) => void }} [options]
 */
export async function findPython({ env = process.env, log = () => undefined } = {}) {
  const given = env.SLUICE_TEST_PYTHON?.trim();
  if (given) return given;
  try {
    return await makeEnvironment(log);
  } catch (error) {
    log(`no Python with HTTP clients: none of their tests is run (${error.message})`);
    return undefined;
  }
}

async function makeEnvironment(log) {
  const requirements = await readFile(REQUIREMENTS);
  const version = createHash('sha256').update(requirements).digest('hex').slice(0, 12);
  const folder = join(homedir(), '.cache', 'sluice', `python-${version}`);
  const python = join(folder, 'bin', 'python');
  // Written last: an environment without it was not finished.
  const mark = join(folder, '.complete');
  if (existsSync(mark)) return python;
  log('installing Python packages');
  await rm(folder, { recursive: true, force: true });
  await must('python3', ['-m', 'venv', folder]);
  await must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  await writeFile(mark, '');
  return python;
}

async function must(file, args) {
  const { code, output } = await run(file, args, { timeoutMs: MAKE_TIMEOUT_MS });
  if (code !== 0) throw new Error(lastLines(output, 3));
}
