// `npm run bench`: how fast Sluice is on this machine, beside baselines in the same run. See README.md.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Child } from './child.mjs';
import { printProfiles } from './cpu-profile.mjs';
import { startSystem } from './engines.mjs';
import { nowMs } from './load/clock.mjs';
import { measureCatchUp } from './measures/catch-up.mjs';
import { measureFanOut } from './measures/fan-out.mjs';
import { measureIngest } from './measures/ingest.mjs';
import { measureLatency } from './measures/latency.mjs';
import { measureMemory } from './measures/memory.mjs';
import { measureSlowNeighbour } from './measures/slow-neighbour.mjs';
import { measureStorm } from './measures/storm.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { formatTable } from './report.mjs';

const RUN = {
  memory: measureMemory,
  ingest: measureIngest,
  latency: measureLatency,
  'fan-out': measureFanOut,
  'catch-up': measureCatchUp,
  'slow-neighbour': measureSlowNeighbour,
  storm: measureStorm,
};

const startedAt = Date.now();
const print = (line) => process.stdout.write(`${line}\n`);
const log = (line) => process.stderr.write(`[${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);

/** Everything that is to be ended, the newest first. */
const endings = [];
async function end() {
  while (endings.length > 0) {
    // One that fails must not keep the others from ending.
    await endings
      .pop()()
      .catch((error) => log(String(error)));
  }
}

async function benchEngine(engine, options) {
  const { measures, scale, isProfiled } = options;
  log(`${engine}: starting`);
  const gcFolder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  endings.push(() => rm(gcFolder, { recursive: true, force: true }));
  const system = await startSystem(engine, { isProfiled, log: (line) => log(`${engine}: ${line}`) });
  endings.push(() => system.removeFolder());
  const stopSystem = () => system.stop();
  endings.push(stopSystem);
  const startChild = async (file, nodeArgs) => {
    const child = await Child.start(file, nodeArgs);
    endings.push(() => child.stop());
    return child;
  };
  const hook = new URL('gc-hook.mjs', import.meta.url);
  hook.searchParams.set('folder', gcFolder);
  const bareServer = await startChild('baselines/sse-server.mjs', ['--expose-gc', '--import', hook.href]);
  const context = {
    system,
    scale,
    gcFolder,
    startChild,
    poster: await startChild('load/worker.mjs'),
    subscriber: await startChild('load/worker.mjs'),
    bare: { url: await bareServer.call('url'), pid: bareServer.pid },
  };
  const rows = [];
  const windows = [];
  for (const name of measures) {
    const fromMs = nowMs();
    log(`${engine}: ${name}`);
    rows.push(...(await RUN[name](context)));
    windows.push({ name: `${engine}, ${name}`, fromMs, toMs: nowMs() });
  }
  log(`${engine}: ending`);
  if (isProfiled) {
    // The profiles are written when the processes end.
    while (endings.at(-1) !== stopSystem) await endings.pop()();
    await endings.pop()();
    await printProfiles(system.profileFolder, { windows, print });
  }
  await end();
  return rows;
}

async function main() {
  let options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.exitCode = 2;
    return print(`${error.message}\n\n${USAGE}`);
  }
  if (options.isHelp) return print(USAGE);
  const rows = [];
  for (const engine of options.engines) rows.push(...(await benchEngine(engine, options)));
  const machine = {
    processor: cpus()[0]?.model,
    parallelism: availableParallelism(),
    node: process.version,
    load: loadavg(),
  };
  print(
    `\n${machine.processor}, ${machine.parallelism} cores, Node.js ${machine.node}; load average ${machine.load.map((load) => load.toFixed(1)).join(' ')}`,
  );
  print(
    `p50 / p99 where there are two figures. ${options.isQuick ? 'Quick run: the rounds are too short for figures to be kept. ' : ''}Read the ratios.\n`,
  );
  print(formatTable(rows));
  const targets = rows.flatMap(({ target }) => target ?? []);
  print(`\n${targets.filter(({ isMet }) => isMet).length} of ${targets.length} targets met`);
  if (options.jsonFile) {
    await mkdir(dirname(options.jsonFile), { recursive: true });
    await writeFile(options.jsonFile, `${JSON.stringify({ machine, isQuick: options.isQuick, rows }, null, 2)}\n`);
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end().finally(() => process.exit(1)));

try {
  await main();
} catch (error) {
  log(`bench: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
} finally {
  await end();
}
