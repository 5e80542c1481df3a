/**
 * The wait that a `Retry-After` header asks for, in milliseconds: from 0 to `maxMs`. Undefined where there is none, or none that can be read.
 */
export function retryAfterMs(header: string | null | undefined, maxMs: number, nowMs = Date.now()): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const waitMs = /^[0-9]+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxMs);
}
