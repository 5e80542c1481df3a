import fc from 'fast-check';
import { ConnectionBudget } from './connection-budget';

function takeAll(budget: ConnectionBudget, nowMs: number): number {
  let taken = 0;
  while (budget.take(nowMs)) taken++;
  return taken;
}

describe('ConnectionBudget', () => {
  it('gives the burst at once, then so many in a second', () => {
    const budget = new ConnectionBudget(10, 25, 0);
    expect(takeAll(budget, 0)).toBe(25);
    expect(takeAll(budget, 99)).toBe(0);
    expect(takeAll(budget, 100)).toBe(1);
    expect(takeAll(budget, 1_100)).toBe(10);
  });

  it('saves no more than the burst, and does not mind a clock that goes back', () => {
    const budget = new ConnectionBudget(10, 25, 1_000);
    expect(takeAll(budget, 1_000_000)).toBe(25);
    expect(takeAll(budget, 500)).toBe(0);
    expect(takeAll(budget, 600)).toBe(1);
  });

  it('never gives more than the burst and what has flown in since', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat({ max: 500 }), { maxLength: 100 }),
        (perSecond, burst, waitsMs) => {
          const budget = new ConnectionBudget(perSecond, burst, 0);
          let nowMs = 0;
          let taken = 0;
          for (const waitMs of waitsMs) {
            nowMs += waitMs;
            if (budget.take(nowMs)) taken++;
          }
          return taken <= burst + (nowMs * perSecond) / 1_000 + 1e-6;
        },
      ),
    );
  });
});
