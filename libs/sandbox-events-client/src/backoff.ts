/** Upper bound of the wait after `attempt` (0, 1, 2 ...) failures: `firstMs` doubled each time, at most `maxMs`. */
export function backoffCeilingMs(attempt: number, firstMs: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** attempt, Math.max(firstMs, maxMs));
}

/** Full jitter: anything from 0 to the ceiling, so that many clients do not come back together. */
export function fullJitterMs(ceilingMs: number): number {
  return Math.random() * ceilingMs;
}

/** Half fixed, half jitter: never a hot loop, and still spread. */
export function halfJitterMs(ceilingMs: number): number {
  return ceilingMs / 2 + (Math.random() * ceilingMs) / 2;
}

/** The wait that a `Retry-After` header asks for, in milliseconds; undefined when it is absent or not understood. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const value = header.trim();
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
