// Brings a fresh clone to where the code can be built and run. Uses nothing but Node, because nothing is installed yet.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a command to its end, showing its output unless `quiet`; rejects with the tail of it when it fails. */
export function run(file, args, { quiet = false, env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-8_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${[file, ...args].join(' ').slice(0, 120)} failed (${code})\n${output}`));
    });
  });
}

/** Installs the locked dependencies unless they are installed already. */
export async function installDependencies(log) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const marker = join(root, 'node_modules', '.sluice-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  log('installing dependencies (a minute or two)');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true });
  writeFileSync(marker, lock);
}

/** Generates the Prisma client and compiles everything that changed. */
export async function build(log) {
  log('building');
  await run(process.execPath, ['tools/prisma-generate.mjs'], { quiet: true });
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { quiet: true });
}
