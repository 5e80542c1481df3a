// `npm run simulate:registry`: seeded lives of a chain under the real watcher. See README.md.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { openDatabases } from './databases.mjs';
import { runSeed } from './run-seed.mjs';

const USAGE = `usage: node tools/registry-simulation/simulate.mjs [options]
  --seeds N      so many seeds, from --first on (default 10)
  --first N      the first one (default 1)
  --seed N       this one alone, and what it does
  --parallel N   at a time (default 2)
  --json FILE    also write every verdict there`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    parallel: { type: 'string', default: '2' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const print = (line) => process.stdout.write(`${line}\n`);

async function main() {
  const isOne = values.seed !== undefined;
  const first = Number(isOne ? values.seed : values.first);
  const count = isOne ? 1 : Number(values.seeds);
  if (![first, count, Number(values.parallel)].every((number) => Number.isSafeInteger(number) && number >= 0)) {
    throw new Error(USAGE);
  }
  const databases = await openDatabases();
  const verdicts = [];
  try {
    let next = first;
    const work = async () => {
      while (next < first + count) verdicts.push(await runOne(databases, next++, isOne));
    };
    await Promise.all(Array.from({ length: Math.max(1, Number(values.parallel)) }, work));
  } finally {
    await databases.close();
  }
  const failed = verdicts.filter(({ faults }) => faults.length > 0).map(({ seed }) => seed);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(verdicts, null, 2)}\n`);
  print(`${verdicts.length - failed.length} of ${verdicts.length} seeds passed`);
  for (const seed of failed.sort((one, other) => one - other))
    print(`run it again: npm run simulate:registry -- --seed ${seed}`);
  process.exitCode = failed.length === 0 && verdicts.length > 0 ? 0 : 1;
}

async function runOne(databases, seed, isTalkative) {
  const name = `simulation_${seed}_${randomBytes(4).toString('hex')}`;
  const databaseUrl = await databases.create(name);
  const log = isTalkative ? (line) => process.stderr.write(`${line}\n`) : undefined;
  const verdict = await runSeed({ seed, databaseUrl, log });
  await databases.drop(name);
  const { faults, durationMs, counts, output = [] } = verdict;
  const told = Object.entries(counts)
    .map(([what, number]) => `${number} ${what}`)
    .join(', ');
  print(`seed ${seed}: ${faults.length === 0 ? 'passed' : 'FAILED'} in ${(durationMs / 1000).toFixed(1)} s (${told})`);
  for (const fault of faults) print(`  ${fault}`);
  if (isTalkative) for (const text of output) process.stderr.write(`--- output of a process\n${text}\n`);
  return verdict;
}

if (values.help) print(USAGE);
else await main();
