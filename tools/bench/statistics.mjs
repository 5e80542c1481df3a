/**
 * The value below which so large a part of the samples lies, by the nearest rank.
 *
 * @param {ArrayLike<number>} sorted ascending
 * @param {number} part 0.5 for the median
 * @returns {number} NaN for no samples
 */
export function percentile(sorted, part) {
  if (sorted.length === 0) return NaN;
  const rank = Math.ceil(part * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1];
}

/** @param {readonly number[]} values @returns {number} the middle one, or the mean of the middle two; NaN for none */
export function median(values) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {ArrayLike<number>} samples in any order; those that are NaN do not count
 * @returns {{ count: number, p50: number, p99: number, max: number }}
 */
export function summarize(samples) {
  const sorted = Float64Array.from(samples)
    .filter((value) => !Number.isNaN(value))
    .sort();
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: percentile(sorted, 1),
  };
}

/**
 * The median of the ratios of rounds that ran side by side, which a slow spell of the machine moves less than the ratio
 * of two medians.
 *
 * @param {readonly number[]} measured @param {readonly number[]} baseline of the same rounds
 */
export function pairedRatio(measured, baseline) {
  return median(measured.map((value, round) => value / baseline[round]));
}

/**
 * What every subscriber saw of every event, against when it was sent.
 *
 * @param {ArrayLike<number>} arrivedAt subscriber by subscriber, in milliseconds; NaN where nothing arrived
 * @param {ArrayLike<number>} since when each event happened, NaN where it did not happen
 * @param {(sequence: number) => boolean} [isCounted] all by default
 * @returns {{ expected: number, delivered: number, delaysMs: Float64Array }}
 */
export function joinArrivals(arrivedAt, since, isCounted = () => true) {
  const events = since.length;
  const delaysMs = [];
  let expected = 0;
  for (let index = 0; index < arrivedAt.length; index += 1) {
    const sequence = index % events;
    if (!isCounted(sequence) || Number.isNaN(since[sequence])) continue;
    expected += 1;
    if (!Number.isNaN(arrivedAt[index])) delaysMs.push(arrivedAt[index] - since[sequence]);
  }
  return { expected, delivered: delaysMs.length, delaysMs: Float64Array.from(delaysMs) };
}
