import { SluiceError } from '@sluice/event-log';
import { cleanText, jsonBytes } from '../clean-text';
import type { AttestationRevokedFact, AttestedFact } from '../facts';
import { scoreOfAttestation } from '../scores';
import { attestedTokenId } from './attestation-agent';
import { agentKey, attestationKey, type AgentValue, type AttestationValue } from './documents';
import type { LedgerRun, Origin } from './ledger-run';
import { rate, takeBackRating } from './reputation-facts';

/** Most tags of an attestation, the longest of them in Unicode characters, and most bytes of their JSON. */
const MAX_ATTESTATION_TAGS = 50;
const MAX_ATTESTATION_TAG_LENGTH = 200;
const MAX_ATTESTATION_TAGS_BYTES = 8 * 1024;

export function applyAttested(run: LedgerRun, origin: Origin, fact: AttestedFact): void {
  const { uid, attester, attestation } = fact;
  const tokenId = attestedTokenId(run.context.chainId, fact);
  if (attestation === undefined || typeof tokenId !== 'string')
    return run.ignore(typeof tokenId === 'string' ? 'malformed_attestation' : tokenId.ignored);
  const agent = run.find<AgentValue>(agentKey(tokenId));
  if (agent === undefined) return run.ignore('unknown_agent');
  const score = scoreOfAttestation(attestation.score);
  if (score === undefined) return run.ignore('attestation_score_out_of_range');
  if (run.find(attestationKey(uid)) !== undefined) return run.ignore('duplicate_attestation');
  const value: AttestationValue = { tokenId, score, isRevoked: false };
  run.put(attestationKey(uid), value);
  const tags = tagsOf(attestation.tags);
  run.emit(origin, 'new_attestation', tokenId, { attestationUid: uid, attester, score, tags });
  rate(run, origin, tokenId, agent, score, {
    source: 'eas',
    clientAddress: attester,
    attestationUid: uid,
    score,
    isRating: true,
    tags,
  });
}

export function applyAttestationRevoked(run: LedgerRun, origin: Origin, fact: AttestationRevokedFact): void {
  const { uid, attester } = fact;
  const value = run.find<AttestationValue>(attestationKey(uid));
  if (value === undefined) return run.ignore('unknown_attestation');
  if (value.isRevoked) return run.ignore('revoked_already');
  const { tokenId, score } = value;
  const agent = run.find<AgentValue>(agentKey(tokenId));
  // Who counts its attestations exists: its document was not read.
  if (agent === undefined) throw new SluiceError('internal', `The document ${agentKey(tokenId)} was not read`);
  run.put(attestationKey(uid), { ...value, isRevoked: true });
  run.emit(origin, 'attestation_revoked', tokenId, { attestationUid: uid, attester });
  takeBackRating(run, origin, tokenId, agent, score);
}

function tagsOf(texts: readonly string[]): readonly string[] {
  const tags: string[] = [];
  for (const text of texts.slice(0, MAX_ATTESTATION_TAGS)) {
    const tag = cleanText(text, MAX_ATTESTATION_TAG_LENGTH);
    if (tag !== '') tags.push(tag);
  }
  while (jsonBytes(tags) > MAX_ATTESTATION_TAGS_BYTES) tags.pop();
  return tags;
}
