import type { AttestedFact } from '../facts';
import type { IgnoredReason } from './ledger-types';

const AGENT_ID = /^([1-9][0-9]{0,15}):(0|[1-9][0-9]{0,77})$/;

/** A token id that events can carry: decimal, without leading zeros, of up to 256 bits. */
export const TOKEN_ID = /^(?:0|[1-9][0-9]{0,77})$/;

/** The token that an attestation names as `<chainId>:<tokenId>`, if it is one of this chain. */
export function attestedTokenId(
  chainId: number,
  { attestation }: Pick<AttestedFact, 'attestation'>,
): string | { readonly ignored: IgnoredReason } {
  if (attestation === undefined) return { ignored: 'malformed_attestation' };
  const [, chain, tokenId] = AGENT_ID.exec(attestation.agentId) ?? [];
  if (tokenId === undefined) return { ignored: 'malformed_attestation' };
  return chain === String(chainId) ? tokenId : { ignored: 'foreign_attestation' };
}
