// `npm test`: set-up, real brokers, then lint, format, type check and every level of tests. Ends with one line that counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { spawnSync } from 'node:child_process';
import { build, installDependencies, root, run } from './set-up.mjs';

const startedAt = Date.now();
const log = (line) => console.log(`[${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s] ${line}`);
const node = process.execPath;

async function main() {
  await installDependencies(log);
  // Both the compiler and the rules that know types read the client.
  await run(node, ['tools/prisma-generate.mjs'], { quiet: true });
  // One core each; what is foreign waits for the network.
  const [compiled, styled, found] = await Promise.allSettled([compile(), checkStyle(), findForeignClients()]);
  for (const step of [compiled, styled, found]) if (step.status === 'rejected') throw step.reason;
  log('brokers');
  const { startBrokers } = await import('./brokers/brokers.mjs');
  const brokers = await startBrokers({ need: ['kafka', 'nats', 'postgres'], durable: false, log });
  try {
    log('tests');
    return runJest({
      ...found.value,
      SLUICE_TEST_KAFKA_BROKERS: brokers.kafkaBrokers,
      SLUICE_TEST_NATS_URL: brokers.natsUrl,
      SLUICE_TEST_DATABASE_URL: brokers.databaseUrl,
    });
  } finally {
    await brokers.stop();
  }
}

async function compile() {
  await build(log);
  log('type check');
  await run(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json']);
}

async function checkStyle() {
  log('formatting');
  await run(node, ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']);
  log('lint');
  await run(node, ['node_modules/eslint/bin/eslint.js', '.'], { env: { NX_DAEMON: 'false' } });
}

/** Addresses of clients that are not ours; what cannot be had is absent, and its tests are left out. */
async function findForeignClients() {
  const [{ findChromium }, { findPython }] = await Promise.all([
    import('./foreign-clients/chromium.mjs'),
    import('./foreign-clients/python.mjs'),
  ]);
  const chromium = await findChromium({ log });
  const python = await findPython({ log });
  return { ...(chromium && { SLUICE_TEST_CHROMIUM: chromium }), ...(python && { SLUICE_TEST_PYTHON: python }) };
}

/** On two cores: files that test a whole system wait half of their time. */
const WORKERS = 3;

/** The whole workspace in one Jest; returns its counts. */
function runJest(addresses) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tests-'));
  const report = join(folder, 'report.json');
  try {
    const { status } = spawnSync(
      node,
      [
        // Its workers have it too: what a test file leaves behind is less of a burden with more room for what is young.
        '--max-semi-space-size=64',
        'node_modules/jest/bin/jest.js',
        '--json',
        `--outputFile=${report}`,
        `--maxWorkers=${WORKERS}`,
        ...process.argv.slice(2),
      ],
      { cwd: root, env: { ...process.env, ...addresses, NX_DAEMON: 'false' }, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    log(`slowest: ${describeSlowest(counts.testResults)}`);
    for (const line of describeFailures(counts.testResults)) console.error(line);
    return {
      passed: counts.numPassedTests,
      // A suite that could not be loaded has no failed test, and must not look like success.
      failed: Math.max(counts.numFailedTests + counts.numRuntimeErrorTestSuites, status === 0 ? 0 : 1),
      skipped: counts.numPendingTests + counts.numTodoTests,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const SHOWN_FILES = 12;

/** Where the time went, for who wants to shorten it. */
function describeSlowest(suites) {
  return suites
    .map(({ name, startTime, endTime }) => ({ file: relative(root, name), seconds: (endTime - startTime) / 1000 }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, SHOWN_FILES)
    .map(({ file, seconds }) => `${file} ${Math.round(seconds)} s`)
    .join(', ');
}

const MAX_LINES_OF_A_FAILURE = 25;

/** What failed and why, once more and last: a log that is cut keeps its end. */
function describeFailures(suites) {
  return suites.flatMap(({ name, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    // A suite that could not be loaded has no failed test, only a message.
    if (failed.length === 0) return assertionResults.length === 0 && message ? [`FAILED ${file}`, cut(message)] : [];
    return failed.flatMap(({ fullName, failureMessages }) => [
      `FAILED ${file}: ${fullName}`,
      cut(failureMessages.join('\n')),
    ]);
  });
}

const cut = (text) => text.split('\n').slice(0, MAX_LINES_OF_A_FAILURE).join('\n');

try {
  const { passed, failed, skipped } = await main();
  log('done');
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exitCode = 1;
}
