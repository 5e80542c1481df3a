import { CONVERGENCE_LIMIT_MS } from './convergence';
import type { ClassOutcome } from './run-class';
import { formatTable, isRight } from './table';
import type { TrialResult } from './trial';

const clean: TrialResult = {
  acknowledged: 100,
  rounds: [3_000, 1_000, 2_000].map((convergedAfterMs, n) => ({ name: `round ${n}`, convergedAfterMs })),
  verdicts: [],
  faults: [],
};
const verdict = { place: '/ws', lost: 0, doubled: 0, misordered: 0, invented: 0, examples: [] };

const row = (outcome: ClassOutcome) => ({ name: 'some', engine: 'cluster', outcome });
const ran = (result: Partial<TrialResult>) => row({ kind: 'run', rounds: 3, result: { ...clean, ...result } });
const lineOf = (outcome: Parameters<typeof isRight>[0]) => formatTable([outcome]).at(-1) ?? '';

describe('the table of a fault run', () => {
  it('shows counts and times of what went well', () => {
    expect(lineOf(ran({})).split(/ {2,}/)).toEqual([
      'some',
      'cluster',
      '3',
      '100',
      '0',
      '0',
      '0',
      '2.0 s',
      '3.0 s',
      'ok',
    ]);
    expect(isRight(ran({}))).toBe(true);
  });

  it.each(['lost', 'doubled', 'misordered', 'invented'] as const)('is wrong where an event is %s', (what) => {
    const wrong = ran({ verdicts: [{ ...verdict, [what]: 7 }] });
    expect(isRight(wrong)).toBe(false);
    expect(lineOf(wrong)).toContain('WRONG');
    if (what !== 'invented') expect(lineOf(wrong)).toContain('  7  ');
  });

  it('is wrong where one round converged late', () => {
    const late = ran({ rounds: [...clean.rounds, { name: 'late', convergedAfterMs: CONVERGENCE_LIMIT_MS + 1 }] });
    expect(isRight(late)).toBe(false);
    expect(lineOf(late)).toContain('WRONG');
  });

  it('is wrong where nothing was done, or nothing acknowledged', () => {
    expect(isRight(ran({ rounds: [] }))).toBe(false);
    expect(isRight(ran({ acknowledged: 0 }))).toBe(false);
  });

  it('is wrong where something else was reported', () => {
    expect(isRight(ran({ faults: ['a reset'] }))).toBe(false);
  });

  it('is wrong where the run broke off', () => {
    const failed = row({ kind: 'failed', error: 'it broke', logs: '/somewhere' });
    expect(isRight(failed)).toBe(false);
    expect(lineOf(failed)).toContain('FAILED');
  });

  it('says what was left out, and why', () => {
    const left = row({ kind: 'left-out', reason: 'needs root', isMissing: true });
    expect(isRight(left)).toBe(true);
    expect(lineOf(left)).toContain('left out: needs root');
  });
});
