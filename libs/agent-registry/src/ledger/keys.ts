import type { BlockJournal, ChainDocument, ChainStore } from '../chain-store';
import type { ChainBlock, ChainFact } from '../facts';
import {
  agentKey,
  attestationKey,
  classKey,
  clientKey,
  feedbackKey,
  fileKey,
  reachKey,
  revertedKey,
  sequenceKey,
  type AttestationValue,
} from './documents';
import { tokenIdOfAgent } from './ledger-run';
import { attestedTokenId } from './attestation-agent';

/**
 * The documents that `applyBlocks` has to know. Those of agents whose attestations are revoked are found only when these
 * are read: see `followUpKeysOf`.
 */
export function documentKeysOf(chainId: number, blocks: readonly ChainBlock[]): readonly string[] {
  const keys = new Set<string>();
  for (const { hash, facts } of blocks) {
    if (facts.length > 0) keys.add(revertedKey(hash));
    for (const fact of facts) addKeysOf(keys, chainId, fact);
  }
  return [...keys];
}

function addKeysOf(keys: Set<string>, chainId: number, fact: ChainFact): void {
  switch (fact.kind) {
    case 'attested': {
      const tokenId = attestedTokenId(chainId, fact);
      keys.add(attestationKey(fact.uid));
      if (typeof tokenId === 'string') keys.add(agentKey(tokenId));
      return;
    }
    case 'attestation_revoked':
      keys.add(attestationKey(fact.uid));
      return;
    case 'registered':
    case 'uri_updated':
      for (const key of observedKeys(fact.tokenId)) keys.add(key);
      return;
    case 'feedback_given':
      keys.add(agentKey(fact.tokenId));
      if (fact.feedbackIndex === undefined) keys.add(clientKey(fact.tokenId, fact.client));
      return;
    case 'feedback_revoked':
    case 'response_appended':
      keys.add(agentKey(fact.tokenId));
      keys.add(feedbackKey(fact.tokenId, fact.client, fact.feedbackIndex));
      return;
    case 'transfer':
    case 'metadata_set':
    case 'validation_requested':
    case 'validation_responded':
      keys.add(agentKey(fact.tokenId));
  }
}

/** More documents that `applyBlocks` has to know, once those of `documentKeysOf` were read. */
export function followUpKeysOf(
  documents: ReadonlyMap<string, ChainDocument>,
  blocks: readonly ChainBlock[],
): readonly string[] {
  const keys = new Set<string>();
  for (const { facts } of blocks) {
    for (const fact of facts) {
      if (fact.kind !== 'attestation_revoked') continue;
      const attestation = documents.get(attestationKey(fact.uid))?.value as AttestationValue | undefined;
      const key = attestation && agentKey(attestation.tokenId);
      if (key !== undefined && !documents.has(key)) keys.add(key);
    }
  }
  return [...keys];
}

/** Reads all documents that `applyBlocks` has to know of these blocks, in one or two requests. */
export async function readDocumentsOf(
  store: Pick<ChainStore, 'read'>,
  chainId: number,
  blocks: readonly ChainBlock[],
): Promise<ReadonlyMap<string, ChainDocument>> {
  const keys = documentKeysOf(chainId, blocks);
  if (keys.length === 0) return new Map();
  const documents = await store.read(chainId, keys);
  const more = followUpKeysOf(documents, blocks);
  return more.length === 0 ? documents : new Map([...documents, ...(await store.read(chainId, more))]);
}

/** The documents that `revertBlocks` has to know. */
export function keysOfJournals(journals: readonly BlockJournal[]): readonly string[] {
  const keys = new Set<string>();
  for (const { block, before, emitted } of journals) {
    keys.add(revertedKey(block.hash));
    for (const { key } of before) {
      keys.add(key);
      if (isObserved(key)) addOffChainKeys(keys, tokenIdOf({ key }));
    }
    for (const { agentId } of emitted) addOffChainKeys(keys, tokenIdOfAgent(agentId));
  }
  return [...keys];
}

function addOffChainKeys(keys: Set<string>, tokenId: string): void {
  for (const key of fileKeys(tokenId)) keys.add(key);
}

function isObserved(key: string): boolean {
  return key.startsWith('file/') || key.startsWith('reach/') || key.startsWith('class/');
}

/** An agent with what is observed of it off the chain. */
function observedKeys(tokenId: string): readonly string[] {
  return [agentKey(tokenId), fileKey(tokenId), reachKey(tokenId), classKey(tokenId)];
}

/** The documents that `applyFile` has to know. */
export function fileKeys(tokenId: string): readonly string[] {
  return [...observedKeys(tokenId), sequenceKey(tokenId)];
}

/** The documents that `applyProbe` has to know. */
export function probeKeys(tokenId: string): readonly string[] {
  return [agentKey(tokenId), reachKey(tokenId), sequenceKey(tokenId)];
}

/** The documents that `classificationRequestOf` and `applyClassification` have to know. */
export function classificationKeys(tokenId: string): readonly string[] {
  return [agentKey(tokenId), fileKey(tokenId), classKey(tokenId), sequenceKey(tokenId)];
}

/** The token that a document of kind `agent`, `file`, `reach`, `class` or `sequence` is about. */
export function tokenIdOf({ key }: Pick<ChainDocument, 'key'>): string {
  return key.slice(key.indexOf('/') + 1);
}
