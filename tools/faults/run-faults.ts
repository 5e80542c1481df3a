import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { FAULT_CLASSES } from '../../regression/classes';
import type { EngineName } from './fault-class';
import { lateRounds } from './convergence';
import { runInOwnNetwork } from './own-network';
import { ClassRunner } from './run-class';
import { formatTable, isRight, type TableRow } from './table';

const ENGINES: readonly EngineName[] = ['cluster', 'embedded'];
/** Each fault once: to see that everything runs. */
const SHORT_ROUNDS = 1;

const USAGE = `npm run faults -- [--class NAME]... [--engine cluster|embedded] [--rounds N] [--short] [--list]`;

interface Plan {
  readonly names: readonly string[];
  /** No class was named. */
  readonly isOfAll: boolean;
  readonly engines: readonly EngineName[];
  readonly rounds: number | undefined;
  /** Where the outcome goes for the process that asked for it. */
  readonly outcomeFile: string | undefined;
  readonly isInOwnNetwork: boolean;
}

/** Runs what the arguments name, prints the table, and resolves with the exit code. */
export async function runFaults(args: readonly string[]): Promise<number> {
  const plan = readPlan(args);
  if (plan === undefined) {
    for (const { name, what } of FAULT_CLASSES) console.log(`${name.padEnd(20)} ${what}`);
    return 0;
  }
  const startedAt = performance.now();
  const log = (line: string) => console.log(`[${Math.round((performance.now() - startedAt) / 1000)} s] ${line}`);
  const rows: TableRow[] = [];
  for (const engine of plan.engines) {
    const runner = new ClassRunner(engine);
    for (const faults of FAULT_CLASSES.filter(({ name }) => plan.names.includes(name))) {
      const label = `${faults.name} (${engine})`;
      log(`${label}: ${faults.what}`);
      const { rounds } = plan;
      const options = { ...(rounds !== undefined && { rounds }), log: (line: string) => log(`${label}: ${line}`) };
      const outcome =
        faults[engine]?.inOwnNetwork && !plan.isInOwnNetwork
          ? await runInOwnNetwork(faults, engine, options)
          : await runner.run(faults, options);
      if (plan.outcomeFile !== undefined) await writeFile(plan.outcomeFile, JSON.stringify(outcome));
      const row = { name: faults.name, engine, outcome };
      rows.push(row);
      for (const line of detailsOf(row)) log(`${label}: ${line}`);
      log(formatTable([row]).at(-1) ?? '');
    }
    await runner.close();
  }
  for (const line of ['', ...formatTable(rows)]) console.log(line);
  // What was asked for by name has to be run.
  const isWhole = plan.isOfAll || rows.every(({ outcome }) => outcome.kind !== 'left-out' || !outcome.isMissing);
  return isWhole && rows.every(isRight) ? 0 : 1;
}

/** @returns undefined where only the list is asked for @throws Error that says what is wrong with the arguments */
function readPlan(args: readonly string[]): Plan | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      class: { type: 'string', multiple: true },
      engine: { type: 'string' },
      rounds: { type: 'string' },
      short: { type: 'boolean' },
      list: { type: 'boolean' },
      'in-own-network': { type: 'boolean' },
      'outcome-file': { type: 'string' },
    },
  });
  if (values.list) return undefined;
  const known = FAULT_CLASSES.map(({ name }) => name);
  const names = values.class ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`there is no class "${unknown}"; there are: ${known.join(', ')}\n${USAGE}`);
  const engines = ENGINES.filter((engine) => values.engine === undefined || values.engine === engine);
  if (engines.length === 0) throw new Error(`there is no engine "${values.engine}"\n${USAGE}`);
  const rounds = values.short ? SHORT_ROUNDS : values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds: a number above 0\n${USAGE}`);
  const isInOwnNetwork = values['in-own-network'] === true;
  return {
    names,
    isOfAll: values.class === undefined,
    engines,
    rounds,
    outcomeFile: values['outcome-file'],
    isInOwnNetwork,
  };
}

/** What the table has no room for. */
function detailsOf({ outcome }: TableRow): readonly string[] {
  if (outcome.kind === 'left-out') return [`left out: ${outcome.reason}`];
  if (outcome.kind === 'failed') return [outcome.error, `its folder is kept: ${outcome.logs}`];
  const { verdicts, faults, rounds } = outcome.result;
  return [
    ...verdicts.map(({ place, examples, ...counts }) => `${place}: ${JSON.stringify(counts)}: ${examples.join(', ')}`),
    ...faults,
    ...lateRounds(rounds).map(
      ({ name, convergedAfterMs }) => `${name}: late, ${Math.round(convergedAfterMs / 1000)} s`,
    ),
    ...(outcome.logs === undefined ? [] : [`its folder is kept: ${outcome.logs}`]),
  ];
}
