import type { BlockJournal, ChainDocument, ChainDocumentChange, EmittedEvent } from '../chain-store';
import {
  agentKey,
  classKey,
  reachKey,
  revertedKey,
  type ClassValue,
  type FileValue,
  type ReachValue,
  type RevertedValue,
} from './documents';
import { tokenIdOf } from './keys';
import { LedgerRun, OFF_CHAIN } from './ledger-run';
import type { LedgerContext, LedgerOutcome } from './ledger-types';
import { announceClasses, announceReach, NO_CLASSES } from './observations';
import { emitReversalOf } from './reversals';

/**
 * Undoes blocks that are no longer on the chain: their journals, the highest first, and the documents of `keysOfJournals`.
 *
 * Documents are what they were before the lowest of the blocks, and every event of the blocks is answered, the last one
 * first. What was found off the chain since then stays where it is about the same: probes of the same endpoint, classes of
 * the same description. Where it goes, events say so.
 */
export function revertBlocks(
  documents: ReadonlyMap<string, ChainDocument>,
  journals: readonly BlockJournal[],
  context: LedgerContext,
): LedgerOutcome {
  const run = new LedgerRun(documents, context);
  for (const { block, before, emitted } of journals) {
    const observed = new Map<string, Observed>();
    for (const change of before) {
      if (isObservation(change)) observed.set(tokenIdOf(change), observedOf(run, tokenIdOf(change), observed));
      restore(run, change);
    }
    for (let at = emitted.length - 1; at >= 0; at--) emitReversalOf(run, emitted[at] as EmittedEvent);
    for (const [tokenId, was] of observed) announceRestored(run, tokenId, was);
    if (emitted.length === 0) continue;
    const key = revertedKey(block.hash);
    run.put(key, { times: (run.find<RevertedValue>(key)?.times ?? 0) + 1 });
  }
  return run.outcome();
}

/** What was found of an agent off the chain, before its documents are put back. */
interface Observed {
  readonly reach: ReachValue | undefined;
  readonly classes: ClassValue | undefined;
}

function isObservation({ key }: ChainDocumentChange): boolean {
  return key.startsWith('reach/') || key.startsWith('class/');
}

function observedOf(run: LedgerRun, tokenId: string, observed: ReadonlyMap<string, Observed>): Observed {
  return (
    observed.get(tokenId) ?? {
      reach: run.find<ReachValue>(reachKey(tokenId)),
      classes: run.find<ClassValue>(classKey(tokenId)),
    }
  );
}

function restore(run: LedgerRun, change: ChainDocumentChange): void {
  const { key, value } = change;
  const now = run.held(key).value;
  if (now !== null && value !== null) {
    if (key.startsWith('reach/')) return restoreReach(run, change, now as ReachValue, value as ReachValue);
    if (key.startsWith('class/') && (now as ClassValue).inputHash === (value as ClassValue).inputHash) return;
    if (key.startsWith('file/') && change.dueAt !== undefined && wasReadSince(now as FileValue, value as FileValue)) {
      // What stands there may be newer than what is put back: it is looked at again.
      run.apply({ ...change, dueAt: run.context.nowMs });
      return;
    }
  }
  run.apply(change);
}

function restoreReach(run: LedgerRun, change: ChainDocumentChange, now: ReachValue, then: ReachValue): void {
  const isSameMcp = now.mcpEndpoint === then.mcpEndpoint;
  const isSameA2a = now.a2aEndpoint === then.a2aEndpoint;
  if (isSameMcp && isSameA2a) return;
  run.apply({
    ...change,
    value: { ...then, mcp: isSameMcp ? now.mcp : then.mcp, a2a: isSameA2a ? now.a2a : then.a2a },
  });
}

function wasReadSince(now: FileValue, then: FileValue): boolean {
  return now.readAt !== undefined && now.uri === then.uri && now.readAt !== then.readAt;
}

/** Says what is known of an agent off the chain, where that is not what events said last. */
function announceRestored(run: LedgerRun, tokenId: string, was: Observed): void {
  if (run.find(agentKey(tokenId)) === undefined) return;
  const held = run.held(reachKey(tokenId));
  const reach = run.find<ReachValue>(reachKey(tokenId));
  const said = announceReach(run, OFF_CHAIN, tokenId, was.reach, reach);
  if (said !== undefined && said !== reach) run.put(reachKey(tokenId), said, held.dueAt);
  const classes = run.find<ClassValue>(classKey(tokenId));
  announceClasses(run, OFF_CHAIN, tokenId, was.classes?.announced, classes?.announced ?? NO_CLASSES);
}
