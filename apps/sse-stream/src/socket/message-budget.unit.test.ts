import { MessageBudget } from './message-budget';

const takeAll = (budget: MessageBudget, nowMs: number): number => {
  let taken = 0;
  while (budget.take(nowMs)) taken++;
  return taken;
};

describe('MessageBudget', () => {
  it('has a burst, and refills as time goes by', () => {
    const budget = new MessageBudget(10, 5, 0);
    expect(takeAll(budget, 0)).toBe(5);
    expect(takeAll(budget, 99)).toBe(0);
    expect(takeAll(budget, 300)).toBe(3);
  });

  it('never holds more than the burst, nor less after a clock that went back', () => {
    const budget = new MessageBudget(10, 5, 1_000);
    expect(takeAll(budget, 1_000_000)).toBe(5);
    expect(takeAll(budget, 0)).toBe(0);
    expect(takeAll(budget, 100)).toBe(1);
  });
});
