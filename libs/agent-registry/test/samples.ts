import type { BlockHeader, ChainBlock, ChainFact, FeedbackGivenFact, RegisteredFact } from '../src/facts';

export const CHAIN_ID = 31337;
export const OWNER = `0x${'aa'.repeat(20)}`;
export const OTHER = `0x${'bb'.repeat(20)}`;
export const CLIENT = `0x${'cc'.repeat(20)}`;
export const NOBODY = `0x${'00'.repeat(20)}`;
export const HASH = `0x${'12'.repeat(32)}`;
export const GENESIS_SECONDS = 1_700_000_000;

export function hash32(number: number | bigint): string {
  return `0x${BigInt(number).toString(16).padStart(64, '0')}`;
}

/** A fact without its place, which `block` gives it. */
export type Said = ChainFact extends infer Fact
  ? Fact extends ChainFact
    ? Omit<Fact, 'transactionHash' | 'logIndex'>
    : never
  : never;

/** A block whose transactions say these things; logs are numbered through the block. */
export function block(number: number, transactions: readonly (readonly Said[])[], fork = 0): ChainBlock {
  let logIndex = 0;
  const hashOf = (height: number) => hash32(BigInt(height) * 1000n + BigInt(fork));
  return {
    number,
    hash: hashOf(number),
    parentHash: hashOf(number - 1),
    timestamp: GENESIS_SECONDS + number,
    facts: transactions.flatMap((said, at) =>
      said.map((fact) => ({
        ...fact,
        transactionHash: hash32(BigInt(number) * 1_000_000n + BigInt(at)),
        logIndex: logIndex++,
      })),
    ),
  };
}

export function headerOf({ facts: _facts, ...header }: ChainBlock): BlockHeader {
  return header;
}

export const registered = (
  tokenId: string,
  uri = '',
  owner = OWNER,
): Omit<RegisteredFact, 'transactionHash' | 'logIndex'> => ({
  kind: 'registered',
  tokenId,
  owner,
  uri,
});

/** The logs of `register` of contracts 2.0.0. */
export const registration = (tokenId: string, uri = '', owner = OWNER): readonly Said[] => [
  { kind: 'transfer', tokenId, from: NOBODY, to: owner },
  registered(tokenId, uri, owner),
  { kind: 'metadata_set', tokenId, metadataKey: 'agentWallet', value: owner },
];

export const uriUpdated = (tokenId: string, uri: string): Said => ({
  kind: 'uri_updated',
  tokenId,
  uri,
  updatedBy: OWNER,
});

export const metadataSet = (tokenId: string, metadataKey: string, value: string): Said => ({
  kind: 'metadata_set',
  tokenId,
  metadataKey,
  value,
});

/** The logs of `transferFrom` of contracts 2.0.0. */
export const transfer = (tokenId: string, to = OTHER, from = OWNER): readonly Said[] => [
  metadataSet(tokenId, 'agentWallet', '0x'),
  { kind: 'transfer', tokenId, from, to },
];

export const feedback = (
  tokenId: string,
  feedbackIndex: string | undefined,
  value: string,
  more: Partial<Omit<FeedbackGivenFact, 'transactionHash' | 'logIndex' | 'kind'>> = {},
): Said => ({
  kind: 'feedback_given',
  tokenId,
  client: CLIENT,
  ...(feedbackIndex !== undefined && { feedbackIndex }),
  value,
  valueDecimals: 0,
  tag1: '',
  tag2: '',
  endpoint: '',
  feedbackUri: '',
  feedbackHash: HASH,
  ...more,
});

export const revoked = (tokenId: string, feedbackIndex: string): Said => ({
  kind: 'feedback_revoked',
  tokenId,
  client: CLIENT,
  feedbackIndex,
});

export const attested = (uid: number, agentId: string, score: number, tags: readonly string[] = []): Said => ({
  kind: 'attested',
  uid: hash32(uid),
  attester: OTHER,
  attestation: { agentId, score, tags, context: '' },
});

export const attestationRevoked = (uid: number): Said => ({
  kind: 'attestation_revoked',
  uid: hash32(uid),
  attester: OTHER,
});

export function dataUri(file: unknown): string {
  return `data:application/json;base64,${Buffer.from(JSON.stringify(file)).toString('base64')}`;
}
