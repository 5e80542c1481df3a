import { OwnerShares } from './owner-shares';

it('lets no owner have more than half of an hour, and each have something', () => {
  let nowMs = 0;
  const shares = new OwnerShares(4, () => nowMs);
  const spend = (owner: string) => {
    const isSpent = shares.isSpent(owner);
    if (!isSpent) shares.spend(owner);
    return !isSpent;
  };
  expect([spend('a'), spend('a'), spend('a'), spend('b'), spend('b'), spend('b')]).toEqual([
    ...[true, true, false],
    ...[true, true, false],
  ]);
  nowMs = 3_599_999;
  expect(spend('a')).toBe(false);
  nowMs = 3_600_000;
  expect(spend('a')).toBe(true);
  const smallest = new OwnerShares(1, () => nowMs);
  expect(smallest.isSpent('a')).toBe(false);
  smallest.spend('a');
  expect([smallest.isSpent('a'), smallest.isSpent('b')]).toEqual([true, false]);
});
