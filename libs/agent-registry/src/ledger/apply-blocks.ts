import type { ChainDocument } from '../chain-store';
import type { ChainBlock, ChainFact } from '../facts';
import { isInlineUri } from '../files/file-uri';
import { TOKEN_ID } from './attestation-agent';
import { applyAttestationRevoked, applyAttested } from './attestation-facts';
import { revertedKey, type RevertedValue } from './documents';
import { isTooLongUri } from './file-state';
import { applyIdentityFact, IdentityGroups, isIdentityFact } from './identity-facts';
import { blockTimeMs, LedgerRun, type Origin } from './ledger-run';
import type { LedgerContext, LedgerOutcome } from './ledger-types';
import { applyFeedbackGiven, applyFeedbackRevoked, applyResponseAppended } from './reputation-facts';
import { applyValidationRequested, applyValidationResponded } from './validation-facts';

export interface BlockContext extends LedgerContext {
  /** Blocks from this number on get a journal, so that they can be undone: those without facts too. */
  readonly journalFrom: number;
}

/**
 * What blocks make of the documents of `readDocumentsOf`: blocks in ascending order, the facts of each in the order of
 * their logs. Costs time in proportion to the facts.
 * @throws SluiceError `internal` when a document is missing that has to be there.
 */
export function applyBlocks(
  documents: ReadonlyMap<string, ChainDocument>,
  blocks: readonly ChainBlock[],
  context: BlockContext,
): LedgerOutcome {
  const run = new LedgerRun(documents, context);
  for (const block of blocks) {
    const isJournaled = block.number >= context.journalFrom;
    if (isJournaled) run.openJournal();
    if (block.facts.length > 0) applyFacts(run, block);
    if (isJournaled) run.closeJournal(block);
  }
  return run.outcome();
}

function applyFacts(run: LedgerRun, block: ChainBlock): void {
  const { facts } = block;
  const times = run.find<RevertedValue>(revertedKey(block.hash))?.times ?? 0;
  const suffix = times === 0 ? '' : `/again${times}`;
  const occurredAt = blockTimeMs(block);
  for (let start = 0; start < facts.length;) {
    const transactionHash = facts[start]?.transactionHash;
    let end = start;
    let groups: IdentityGroups | undefined;
    for (; end < facts.length && facts[end]?.transactionHash === transactionHash; end++) {
      const fact = facts[end] as ChainFact;
      if (isIdentityFact(fact) && TOKEN_ID.test(fact.tokenId)) (groups ??= new IdentityGroups()).add(fact);
    }
    for (; start < end; start++) {
      const fact = facts[start] as ChainFact;
      const { logIndex } = fact;
      const chain = {
        blockNumber: block.number,
        blockHash: block.hash,
        transactionHash: fact.transactionHash,
        logIndex,
      };
      applyFact(run, { kind: 'log', chain, occurredAt, suffix }, fact, groups);
    }
  }
}

function applyFact(run: LedgerRun, origin: Origin, fact: ChainFact, groups: IdentityGroups | undefined): void {
  if ('tokenId' in fact && !TOKEN_ID.test(fact.tokenId)) return run.ignore('malformed_fact');
  switch (fact.kind) {
    case 'registered':
    case 'transfer':
    case 'uri_updated':
    case 'metadata_set':
      if (groups !== undefined) applyIdentityFact(run, origin, fact, groups);
      return;
    case 'feedback_given':
      return applyFeedbackGiven(run, origin, fact);
    case 'feedback_revoked':
      return applyFeedbackRevoked(run, origin, fact);
    case 'response_appended':
      return applyResponseAppended(run, origin, fact);
    case 'validation_requested':
      return applyValidationRequested(run, origin, fact);
    case 'validation_responded':
      return applyValidationResponded(run, origin, fact);
    case 'attested':
      return applyAttested(run, origin, fact);
    case 'attestation_revoked':
      return applyAttestationRevoked(run, origin, fact);
  }
}

/** The URIs of registration files that blocks name and that can be read, each once; not those that are files themselves. */
export function fileUrisOf(blocks: readonly ChainBlock[]): readonly string[] {
  const uris = new Set<string>();
  for (const { facts } of blocks) {
    for (const fact of facts) {
      if (fact.kind !== 'registered' && fact.kind !== 'uri_updated') continue;
      if (fact.uri.trim() !== '' && !isInlineUri(fact.uri) && !isTooLongUri(fact.uri)) uris.add(fact.uri);
    }
  }
  return [...uris];
}
