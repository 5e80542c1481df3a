// `npm run bench:registry`: how fast our watcher reads a chain, beside ponder on the same chain. See README.md.
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { median, pairedRatio } from '../bench/statistics.mjs';
import { openDatabases } from '../registry-simulation/databases.mjs';
import { buildChain } from './chain.mjs';
import { expectedEvents, runOurs } from './ours.mjs';
import { installPonder, runPonder } from './ponder.mjs';

const TARGET_RATIO = 10;

const USAGE = `usage: npm run bench:registry -- [options]
  --engine embedded|cluster|both   on which engine ours runs (embedded by default)
  --rounds N                       of each, in turns (3 by default)
  --events N                       on the chain (100000 by default)
  --blocks N                       that they are in (2000 by default)
  --ponder VERSION                 of the npm package (latest by default); "none" leaves it out
  --ponder-database postgres|pglite  postgres, its faster one, by default
  --json FILE                      also write every figure there
  --node-args="..."                arguments of Node.js for our processes, for instance of its profiler`;

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'embedded' },
    rounds: { type: 'string', default: '3' },
    events: { type: 'string', default: '100000' },
    blocks: { type: 'string', default: '2000' },
    ponder: { type: 'string', default: 'latest' },
    'ponder-database': { type: 'string', default: 'postgres' },
    json: { type: 'string' },
    'node-args': { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});

const startedAt = Date.now();
const print = (line) => process.stdout.write(`${line}\n`);
const log = (line) => process.stderr.write(`[${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);

/** Everything that is to be ended, the newest first. */
const endings = [];

/** 5 of 100 events are registrations, 5 are others, and the rest is feedback. */
function mixOf(events, blocks) {
  const registrations = Math.round(events / 20);
  return { registrations, others: registrations, feedback: events - 2 * registrations, blocks };
}

async function bench() {
  const events = Number(values.events);
  const rounds = Number(values.rounds);
  const engines = values.engine === 'both' ? ['embedded', 'cluster'] : [values.engine];
  const ponder =
    values.ponder === 'none' ? { missing: 'ponder was left out' } : await installPonder(values.ponder, log);
  if ('remove' in ponder) endings.push(ponder.remove);
  const databases = await openDatabases();
  endings.push(() => databases.close());
  const built = await buildChain(mixOf(events, Number(values.blocks)), log);
  endings.push(() => built.chain.stop());
  const entry = built.registries.chainConfig({ confirmations: 12, pollIntervalMs: 200, rpcUrls: [built.chain.rpcUrl] });
  const { counts } = built;
  const times = { ponder: [] };
  for (const engine of engines) times[engine] = [];
  for (let round = 1; round <= rounds; round++) {
    if (!('missing' in ponder)) {
      const expected = { agents: counts.Registered, feedback: counts.NewFeedback };
      const options = { ponder, entry, expected, databases, database: values['ponder-database'] };
      times.ponder.push(await runPonder(options));
      log(`round ${round}: ponder ${tell(times.ponder.at(-1).projectedMs, built.events)}`);
    }
    for (const engine of engines) {
      const nodeArgs = values['node-args'].split(' ').filter((arg) => arg !== '');
      const expected = expectedEvents(counts);
      times[engine].push(await runOurs({ engine, entry, expected, databases, nodeArgs }));
      log(`round ${round}: ours, ${engine} ${tell(times[engine].at(-1).projectedMs, built.events)}`);
    }
  }
  const report = reportOf(times, built, ponder, engines);
  for (const line of linesOf(report)) print(line);
  if (values.json !== undefined) {
    await mkdir(dirname(values.json), { recursive: true });
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

const rateOf = (ms, events) => Math.round(events / (ms / 1000));
const tell = (ms, events) => `${(ms / 1000).toFixed(2)} s, ${rateOf(ms, events)} events/s`;

function reportOf(times, { events, counts, blocks }, ponder, engines) {
  const projected = (name) => times[name].map(({ projectedMs }) => projectedMs);
  const ours = engines.map((engine) => {
    const durable = times[engine].map(({ durableMs }) => durableMs).filter((ms) => ms !== undefined);
    return {
      engine,
      projectedPerSecond: rateOf(median(projected(engine)), events),
      ...(durable.length > 0 && { durablePerSecond: rateOf(median(durable), events) }),
      // A ratio of times, upside down: both did the same.
      ...(times.ponder.length > 0 && { ratio: pairedRatio(projected('ponder'), projected(engine)) }),
    };
  });
  return {
    machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), load: loadavg()[0], node: process.version },
    chain: { events, blocks, counts },
    ponder:
      'missing' in ponder
        ? { missing: ponder.missing }
        : {
            version: ponder.version,
            database: values['ponder-database'],
            perSecond: rateOf(median(projected('ponder')), events),
          },
    ours,
    target: { ratio: TARGET_RATIO, isMet: ours.every(({ ratio }) => ratio === undefined || ratio >= TARGET_RATIO) },
    times,
  };
}

function linesOf({ chain, ponder, ours, target, machine }) {
  const lines = [
    `${chain.events} registry events in ${chain.blocks} blocks; load of the machine at the end ${machine.load.toFixed(1)}`,
  ];
  lines.push(
    ponder.missing ??
      `ponder ${ponder.version} (${ponder.database}): ${ponder.perSecond} events/s until it can be queried`,
  );
  for (const { engine, projectedPerSecond, durablePerSecond, ratio } of ours) {
    const durable = durablePerSecond === undefined ? '' : `, ${durablePerSecond} events/s until it is durable`;
    const compared = ratio === undefined ? '' : `; ${ratio.toFixed(1)} × ponder (target ${target.ratio})`;
    lines.push(`ours, ${engine}: ${projectedPerSecond} events/s until it can be queried${durable}${compared}`);
  }
  return lines;
}

if (values.help) {
  print(USAGE);
} else {
  try {
    await bench();
  } finally {
    for (const end of endings.reverse()) await end().catch((error) => log(String(error)));
  }
}
