import fc from 'fast-check';
import { HourlyBudget } from './hourly-budget';

const HOUR_MS = 3_600_000;

it('is spent after so many requests, and comes back one by one', () => {
  let nowMs = 0;
  const budget = new HourlyBudget(2, () => nowMs);
  expect([budget.waitMs(), budget.spend()]).toEqual([0, true]);
  nowMs = 1_000;
  expect([budget.spend(), budget.spend()]).toEqual([true, false]);
  expect(budget.waitMs()).toBe(HOUR_MS - 1_000);
  nowMs = HOUR_MS;
  expect([budget.spend(), budget.spend(), budget.waitMs()]).toEqual([true, false, 1_000]);
});

it('never allows more than its number in any hour', () => {
  const stepsMs = fc.array(fc.integer({ min: 0, max: HOUR_MS / 2 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), stepsMs, (perHour, steps) => {
      let nowMs = 0;
      const budget = new HourlyBudget(perHour, () => nowMs);
      const sentAtMs: number[] = [];
      for (const stepMs of steps) {
        nowMs += stepMs;
        const waitMs = budget.waitMs();
        expect(budget.spend()).toBe(waitMs === 0);
        if (waitMs === 0) sentAtMs.push(nowMs);
        expect(sentAtMs.filter((atMs) => atMs > nowMs - HOUR_MS).length).toBeLessThanOrEqual(perHour);
      }
    }),
  );
});
