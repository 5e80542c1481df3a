/** Longest time from the healing of a fault until everybody has everything. */
export const CONVERGENCE_LIMIT_MS = 30_000;

/** One fault, and how long after its healing everybody had everything. */
export interface Round {
  readonly name: string;
  readonly convergedAfterMs: number;
}

/** The rounds after which it took too long. */
export function lateRounds(rounds: readonly Round[]): readonly Round[] {
  return rounds.filter(({ convergedAfterMs }) => convergedAfterMs > CONVERGENCE_LIMIT_MS);
}
