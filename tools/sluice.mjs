#!/usr/bin/env node
// The command line: builds it where it, or a package that it rests on, is missing, then runs it in this process.
// Standard output belongs to the command alone; whatever the build says goes to standard error.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'apps', 'cli', 'dist', 'main.js');
const needed = [main, ...['event-schema', 'sse-protocol'].map((lib) => join(root, 'libs', lib, 'dist', 'index.js'))];

if (!needed.every((file) => existsSync(file))) build();
await import(pathToFileURL(main).href);

function build() {
  const compiler = findCompiler();
  if (compiler === undefined) fail('the dependencies are not installed; run npm ci or npm start first');
  const { status } = spawnSync(process.execPath, [compiler, '-b', join(root, 'apps', 'cli', 'tsconfig.build.json')], {
    cwd: root,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (status !== 0) fail('the command line could not be built');
}

function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`sluice: ${message}\n`);
  process.exit(1);
}
