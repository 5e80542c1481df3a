import type { ChainDocument } from '../chain-store';
import { agentKey, reachKey, type EndpointState, type ReachValue } from './documents';
import { tokenIdOf } from './keys';
import { LedgerRun, OFF_CHAIN } from './ledger-run';
import type { LedgerContext, LedgerOutcome } from './ledger-types';
import { announceReach } from './observations';
import type { EndpointProbe, ProbePolicy, ProbeResult, ProbeTarget } from './off-chain-types';

/** What part of the interval `jitter` puts the next probe off, at most. */
const JITTER_SHARE = 0.1;

/** A probe that learned nothing is made again after half to all of this, or of the interval where that is shorter. */
const UNLEARNED_RETRY_MS = 30_000;

/** What a document of kind `reach` asks for. */
export function probeTargetOf(document: ChainDocument): ProbeTarget | undefined {
  const { mcpEndpoint, a2aEndpoint } = document.value as ReachValue;
  if (mcpEndpoint === undefined && a2aEndpoint === undefined) return undefined;
  return {
    tokenId: tokenIdOf(document),
    ...(mcpEndpoint !== undefined && { mcpEndpoint }),
    ...(a2aEndpoint !== undefined && { a2aEndpoint }),
  };
}

/**
 * What a probe makes of the documents of `probeKeys`. One success makes an endpoint reachable, `failuresToDown` failures in
 * a row make it unreachable. There is an event when an endpoint is determined first, and when the answer changes. A probe
 * of endpoints that are no longer the agent's is ignored; one that learned nothing is soon made again.
 */
export function applyProbe(
  documents: ReadonlyMap<string, ChainDocument>,
  tokenId: string,
  result: ProbeResult,
  context: LedgerContext & ProbePolicy,
): LedgerOutcome {
  const run = new LedgerRun(documents, context);
  const before = run.find<ReachValue>(reachKey(tokenId));
  const { target, probedAt } = result;
  const isKnown = before !== undefined && run.find(agentKey(tokenId)) !== undefined;
  if (!isKnown || before.mcpEndpoint !== target.mcpEndpoint || before.a2aEndpoint !== target.a2aEndpoint) {
    run.ignore('outdated_result');
    return run.outcome();
  }
  if (result.mcp === undefined && result.a2a === undefined) {
    run.put(reachKey(tokenId), before, nextTryAt(context));
    return run.outcome();
  }
  const mcp = stateAfter(before.mcp, before.mcpEndpoint === undefined ? undefined : result.mcp, context);
  const a2a = stateAfter(before.a2a, before.a2aEndpoint === undefined ? undefined : result.a2a, context);
  const value = announceReach(run, OFF_CHAIN, tokenId, before, { ...before, mcp, a2a, probedAt });
  run.put(reachKey(tokenId), value, nextProbeAt(context));
  return run.outcome();
}

function stateAfter(
  before: EndpointState,
  probe: EndpointProbe | undefined,
  { failuresToDown }: ProbePolicy,
): EndpointState {
  if (probe === undefined) return before;
  if (probe.reachable) return { isUp: true, said: true, failures: 0 };
  const failures = before.failures + 1;
  return failures >= failuresToDown ? { isUp: false, said: false, failures } : { ...before, failures };
}

function nextProbeAt({ nowMs, intervalMs, jitter }: LedgerContext & ProbePolicy): number {
  return nowMs + Math.round(intervalMs * (1 + JITTER_SHARE * within01(jitter)));
}

/** Spread widely, so that those who were too many at a time come one by one. */
function nextTryAt({ nowMs, intervalMs, jitter }: LedgerContext & ProbePolicy): number {
  return nowMs + Math.ceil(Math.min(intervalMs, UNLEARNED_RETRY_MS) * (0.5 + within01(jitter) / 2));
}

function within01(jitter: number): number {
  return Math.min(Math.max(jitter, 0), 1);
}
