import { MAX_TOLD_CALLERS, type Spending } from '@sluice/access';

/** Longest key that is believed, in UTF-16 code units. */
const MAX_KEY_CHARS = 1_024;

/** Most requests that one interval can have cost; a message that says more is not one of ours. */
const MAX_COST = 1_000_000_000;

/** As short as it can be: it is sent five times a second by every process. */
type SpendingTuple = readonly [key: string, cost: number, requestsPerSecond: number, burst: number];

export function encodeSpending(spent: readonly Spending[]): string {
  const tuples = spent.slice(0, MAX_TOLD_CALLERS).map(({ key, cost, rate }): SpendingTuple => {
    return [key, cost, rate.requestsPerSecond, rate.burst];
  });
  return JSON.stringify(tuples);
}

/** What another process spent. Undefined for what is no message of ours. */
export function decodeSpending(text: string): readonly Spending[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed) || parsed.length > MAX_TOLD_CALLERS || !parsed.every(isSpendingTuple)) return undefined;
    return parsed.map(([key, cost, requestsPerSecond, burst]) => ({ key, cost, rate: { requestsPerSecond, burst } }));
  } catch {
    return undefined;
  }
}

function isSpendingTuple(value: unknown): value is SpendingTuple {
  if (!Array.isArray(value)) return false;
  const [key, cost, requestsPerSecond, burst] = value as readonly unknown[];
  return (
    typeof key === 'string' &&
    key.length <= MAX_KEY_CHARS &&
    isBetween(cost, 0, MAX_COST) &&
    isBetween(requestsPerSecond, 0, MAX_COST) &&
    requestsPerSecond > 0 &&
    isBetween(burst, 1, MAX_COST)
  );
}

function isBetween(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
