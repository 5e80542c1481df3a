import type { Said } from './scripted-chain';

export const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const ZERO_HASH = `0x${'0'.repeat(64)}`;

/** What the registry logs when an agent is registered. */
export const registered = (
  tokenId: string,
  { uri = '', owner = address(1), tx = `register ${tokenId}` } = {},
): Said[] => [
  { kind: 'transfer', tokenId, from: address(0), to: owner, tx },
  { kind: 'registered', tokenId, owner, uri, tx },
  { kind: 'metadata_set', tokenId, metadataKey: 'agentWallet', value: owner, tx },
];

export const feedback = (tokenId: string, feedbackIndex: string, value: string, client = address(7)): Said => ({
  kind: 'feedback_given',
  tokenId,
  client,
  feedbackIndex,
  value,
  valueDecimals: 0,
  tag1: '',
  tag2: '',
  endpoint: '',
  feedbackUri: '',
  feedbackHash: ZERO_HASH,
});

export const revoked = (tokenId: string, feedbackIndex: string, client = address(7)): Said => ({
  kind: 'feedback_revoked',
  tokenId,
  client,
  feedbackIndex,
});

export const uriUpdated = (tokenId: string, uri: string): Said => ({
  kind: 'uri_updated',
  tokenId,
  uri,
  updatedBy: address(1),
});

export const transferred = (tokenId: string, to: string, from = address(1)): Said[] => [
  { kind: 'metadata_set', tokenId, metadataKey: 'agentWallet', value: '0x', tx: `transfer ${tokenId} ${to}` },
  { kind: 'transfer', tokenId, from, to, tx: `transfer ${tokenId} ${to}` },
];
