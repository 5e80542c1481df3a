import { ByteBudget } from './byte-budget';

it('gives what a second holds at once, and then as it is earned', () => {
  let nowMs = 5;
  const budget = new ByteBudget(1_000, () => nowMs);
  expect(budget.take(600)).toBe(true);
  expect(budget.take(600)).toBe(false);
  expect(budget.take(400)).toBe(true);
  nowMs += 100;
  expect(budget.take(101)).toBe(false);
  expect(budget.take(100)).toBe(true);
  nowMs += 3_600_000;
  expect(budget.take(1_001)).toBe(false);
  expect(budget.take(1_000)).toBe(true);
});
