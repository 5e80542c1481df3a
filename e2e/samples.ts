import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@sluice/event-log/conformance';
import type { System } from './system';

const run = promisify(execFile);
const LIB = join(__dirname, '..', 'libs', 'sandbox-events-client');
const TSC = join(__dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc');
const RUN_TIMEOUT_MS = 120_000;

/**
 * Runs the document's samples as they are written there, with nothing but the document's environment variables, and
 * checks what they print and leave behind.
 */
export async function assertSamplesRun(system: System): Promise<void> {
  // Inside the library's folder, so that its package is found by its own name.
  const folder = await mkdtemp(join(LIB, 'dist', 'samples-'));
  try {
    await run(process.execPath, [TSC, '-p', join(LIB, 'examples', 'tsconfig.json'), '--outDir', folder]);
    await cp(join(LIB, 'examples', 'package.json'), join(folder, 'package.json'));
    expect((await readdir(folder)).sort()).toEqual(
      ['errors.js', 'follow.js', 'package.json', 'realtime.js', 'retrieve.js', 'store.js'].sort(),
    );
    await storeAndRetrieve(system, folder);
    await realTime(system, folder);
    await errorClasses(system, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function environment(system: System, overrides: Record<string, string> = {}): Record<string, string> {
  const { baseUrl, pubsub, apiKey, accessToken } = system.dev();
  return {
    COMPUTESDK_GATEWAY_URL: baseUrl,
    COMPUTESDK_PUBSUB_HOST: pubsub.host,
    COMPUTESDK_PUBSUB_PORT: String(pubsub.port),
    COMPUTESDK_API_KEY: apiKey,
    COMPUTESDK_ACCESS_TOKEN: accessToken,
    ...overrides,
  };
}

async function sample(system: System, folder: string, name: string, overrides: Record<string, string> = {}) {
  return run(process.execPath, [join(folder, `${name}.js`)], {
    env: environment(system, overrides),
    timeout: RUN_TIMEOUT_MS,
  });
}

async function storeAndRetrieve(system: System, folder: string): Promise<void> {
  const stored = await sample(system, folder, 'store');
  expect(stored.stdout).toMatch(/^Event stored: [0-9a-f-]{36}\n$/);
  const retrieved = await sample(system, folder, 'retrieve');
  expect(retrieved.stdout).toContain('[execution.completed] {"exitCode":0,"duration":1234,"output":"Hello, World!"}\n');
}

async function realTime(system: System, folder: string): Promise<void> {
  // The sample pings for ever, as it is written: it is ended here.
  const child = spawn(process.execPath, [join(folder, 'realtime.js')], { env: environment(system) });
  const follower = spawn(process.execPath, [join(folder, 'follow.js')], { env: environment(system) });
  try {
    const output = collect(child);
    const followed = collect(follower);
    await until(() => output().includes('Connected to event stream'), 'the sample connects', RUN_TIMEOUT_MS);
    expect(output()).not.toContain('Connection error');
    await until(() => followed().includes('Connected to event stream'), 'the follower connects', RUN_TIMEOUT_MS);
    await sample(system, folder, 'store');
    await until(() => followed().includes('Received: execution.completed'), 'the event arrives', RUN_TIMEOUT_MS);
    expect(followed()).toContain("output: 'Hello, World!'");
    const exit = once(follower, 'exit');
    follower.kill('SIGTERM');
    // `disconnect()` ends the loop, and with it the program, by itself.
    expect(await exit).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    follower.kill('SIGKILL');
  }
}

function collect(child: ReturnType<typeof spawn>): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  return () => output;
}

async function errorClasses(system: System, folder: string): Promise<void> {
  const wrongKey = await sample(system, folder, 'errors', { COMPUTESDK_API_KEY: 'sk_nobody' });
  expect(wrongKey.stderr).toBe('Check your API key\n');
  const nowhere = await sample(system, folder, 'errors', { COMPUTESDK_GATEWAY_URL: 'http://127.0.0.1:1' });
  expect(nowhere.stderr).toMatch(/^Network issue: .+\n$/);
  const good = await sample(system, folder, 'errors');
  expect([good.stdout, good.stderr]).toEqual(['', '']);
}
