import { lateRounds } from './convergence';
import type { ClassOutcome } from './run-class';
import type { TrialResult } from './trial';

export interface TableRow {
  readonly name: string;
  readonly engine: string;
  readonly outcome: ClassOutcome;
}

const HEAD = ['class', 'engine', 'rounds', 'acknowledged', 'lost', 'doubled', 'misordered', 'converged p50', 'max', ''];

/** The table of a run, as lines of text. */
export function formatTable(rows: readonly TableRow[]): readonly string[] {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const [head = [], ...rest] = cells;
  return [
    line(head),
    widths
      .map((width) => '-'.repeat(width))
      .join('  ')
      .trimEnd(),
    ...rest.map(line),
  ];
}

/** Whether the run showed what it has to show. What was left out is neither right nor wrong. */
export function isRight({ outcome }: TableRow): boolean {
  if (outcome.kind === 'run') return isClean(outcome.result);
  return outcome.kind === 'left-out';
}

/** Something was done, nothing is lost, doubled, misordered or late, and there is nothing else to report. */
export function isClean({ verdicts, faults, rounds, acknowledged }: TrialResult): boolean {
  if (rounds.length === 0 || acknowledged === 0) return false;
  return verdicts.length + faults.length + lateRounds(rounds).length === 0;
}

function cellsOf(row: TableRow): readonly string[] {
  const { name, engine, outcome } = row;
  if (outcome.kind === 'left-out')
    return [name, engine, '-', '-', '-', '-', '-', '-', '-', `left out: ${outcome.reason}`];
  if (outcome.kind === 'failed') return [name, engine, '-', '-', '-', '-', '-', '-', '-', 'FAILED'];
  const { result } = outcome;
  const worst = (what: 'lost' | 'doubled' | 'misordered') => Math.max(0, ...result.verdicts.map((each) => each[what]));
  const times = result.rounds.map(({ convergedAfterMs }) => convergedAfterMs).sort((a, b) => a - b);
  return [
    name,
    engine,
    String(result.rounds.length),
    String(result.acknowledged),
    String(worst('lost')),
    String(worst('doubled')),
    String(worst('misordered')),
    seconds(times[Math.floor(times.length / 2)]),
    seconds(times.at(-1)),
    isRight(row) ? 'ok' : 'WRONG',
  ];
}

function seconds(durationMs: number | undefined): string {
  return durationMs === undefined ? '-' : `${(durationMs / 1000).toFixed(1)} s`;
}
