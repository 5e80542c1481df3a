/**
 * The spec uses one channel for ratings and for measurements. These tags say that a value is a measurement, or a yes or
 * no, so that it is no rating.
 */
const NON_RATING_TAGS: ReadonlySet<string> = new Set([
  'reachable',
  'ownerverified',
  'uptime',
  'successrate',
  'responsetime',
  'blocktimefreshness',
  'revenues',
  'tradingyield',
  'reachability_mcp',
  'reachability_a2a',
  'reachability_web',
]);

/** Powers of ten that a value can be divided by before nothing but 0 is left of an int128. */
const MAX_DECIMALS = 40;

/** Of values and decimals no longer than these, numbers do. */
const MAX_EXACT_DIGITS = 12;
const MAX_EXACT_DECIMALS = 12;

const INTEGER = /^-?[0-9]{1,80}$/;

/**
 * The score from 0 to 100 that feedback gives: its value, without its decimals, rounded half up and clamped.
 * `value` is a decimal integer; what is none scores 0.
 */
export function scoreOfFeedback(value: string, decimals: number): number {
  if (!INTEGER.test(value) || !Number.isInteger(decimals) || decimals < 0 || decimals > MAX_DECIMALS) return 0;
  if (value.length <= MAX_EXACT_DIGITS && decimals <= MAX_EXACT_DECIMALS) {
    const power = 10 ** decimals;
    return clamp(Math.floor((2 * Number(value) + power) / (2 * power)));
  }
  const power = 10n ** BigInt(decimals);
  const doubled = 2n * BigInt(value) + power;
  if (doubled < 0n) return 0;
  const rounded = doubled / (2n * power);
  return rounded > 100n ? 100 : Number(rounded);
}

function clamp(score: number): number {
  return score > 100 ? 100 : score > 0 ? score : 0;
}

/** Whether feedback with these tags rates its agent, and so counts for its score. The first tag decides, in any case. */
export function isRating(tag1: string, _tag2: string): boolean {
  return tag1 === '' || !NON_RATING_TAGS.has(tag1.trim().toLowerCase());
}

/** The mean of `count` ratings, rounded to two decimals; 0 where there is none. */
export function meanScore(sum: number, count: number): number {
  return count === 0 ? 0 : Math.round((sum * 100) / count) / 100;
}

/** The score from 0 to 100 of an attestation's 1 to 5; undefined for anything else. */
export function scoreOfAttestation(score: number): number | undefined {
  return Number.isInteger(score) && score >= 1 && score <= 5 ? Math.round((score - 1) * 25) : undefined;
}
