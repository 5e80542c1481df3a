import type { SessionUsage } from '../session-state';
import type { UsageDelta } from './inputs';

/** The sum of what was used and what was used since. Counters that neither has stay absent. */
export function addUsage(usage: SessionUsage, delta: UsageDelta): SessionUsage {
  const shortLived = plus(delta.cache_creation?.ephemeral_5m_input_tokens, delta.cache_creation_input_tokens);
  const creation = {
    ...counter('ephemeral_1h_input_tokens', usage.cache_creation, delta.cache_creation),
    ...counter('ephemeral_5m_input_tokens', usage.cache_creation, { ephemeral_5m_input_tokens: shortLived }),
  };
  return {
    ...counter('input_tokens', usage, delta),
    ...counter('output_tokens', usage, delta),
    ...counter('cache_read_input_tokens', usage, delta),
    ...(Object.keys(creation).length === 0 ? {} : { cache_creation: creation }),
  };
}

/** Where a delta is wrong, or undefined. */
export function faultOfDelta(delta: UsageDelta): string | undefined {
  const { cache_creation: creation, ...counters } = delta;
  for (const part of [counters, creation ?? {}]) {
    const fault = Object.entries(part).find(([, value]) => !isCount(value));
    if (fault !== undefined) return fault[0];
  }
  return undefined;
}

function counter<Name extends string>(
  name: Name,
  before: { readonly [N in Name]?: number } | undefined,
  delta: { readonly [N in Name]?: number | undefined } | undefined,
): { readonly [N in Name]?: number } {
  const sum = plus(before?.[name], delta?.[name]);
  return sum === undefined ? {} : ({ [name]: sum } as { readonly [N in Name]: number });
}

/** Stays exact: it ends at the largest safe integer. */
function plus(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined) return right;
  return right === undefined ? left : Math.min(left + right, Number.MAX_SAFE_INTEGER);
}

function isCount(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0);
}
