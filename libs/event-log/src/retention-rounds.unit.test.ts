import type { RetentionBounds, RetentionScope } from './ports/event-retention';
import { BEFORE_FIRST } from './position';
import { RetentionRounds } from './retention-rounds';

const BOUNDS: RetentionBounds = { maxEvents: 10, maxBytes: 1_000, maxScanned: 10 };

/** How many transactions each policy still has to do, by workspace. */
class Sweeps {
  readonly left = new Map<number, number>();
  readonly rounds = new RetentionRounds({
    due: async () =>
      [...this.left]
        .filter(([, transactions]) => transactions > 0)
        .map(([workspaceId]) => ({ scope: scopeOf(workspaceId), overdueMs: 1 })),
    sweep: async (scope) => {
      const workspaceId = Number(scope.workspaceId);
      const transactions = this.left.get(workspaceId) ?? 0;
      if (transactions === 0) return undefined;
      this.left.set(workspaceId, transactions - 1);
      return { kind: 'swept', scope, scanned: 1, events: 1, bytes: 1, upTo: BEFORE_FIRST };
    },
  });
}

const scopeOf = (workspaceId: number): RetentionScope => ({ workspaceId, family: 'sandbox' });

describe('the rounds of retention', () => {
  it.each([1, 8, 9, 10, 11, 19, 20, 21])(
    'look again what is due in good time, though a large policy is never done: beside it one with %i transactions',
    async (transactions) => {
      const sweeps = new Sweeps();
      sweeps.left.set(1, 1_000_000).set(2, transactions);
      for (let step = 0; step < 100; step++) await sweeps.rounds.step(BOUNDS);
      expect(sweeps.left.get(2)).toBe(0);
      expect(sweeps.rounds.backlog.policies).toBe(1);
      sweeps.left.set(3, 5);
      for (let step = 0; step < 30; step++) await sweeps.rounds.step(BOUNDS);
      expect(sweeps.left.get(3)).toBe(0);
    },
  );

  it('are done when nothing is due', async () => {
    const sweeps = new Sweeps();
    sweeps.left.set(1, 3);
    for (let step = 0; step < 3; step++) expect(await sweeps.rounds.step(BOUNDS)).toMatchObject({ kind: 'swept' });
    expect(await sweeps.rounds.step(BOUNDS)).toEqual({ kind: 'done' });
  });
});
