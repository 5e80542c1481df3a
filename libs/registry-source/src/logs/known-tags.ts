import { keccak256, stringToBytes } from 'viem';

/**
 * Tags of ERC-8004 and those seen in use. Contracts 1.1.0 at first logged no more of the first tag than its hash.
 */
const KNOWN_TAGS: readonly string[] = [
  '',
  'starred',
  'reachable',
  'ownerVerified',
  'uptime',
  'successRate',
  'responseTime',
  'blocktimeFreshness',
  'revenues',
  'tradingYield',
  'reachability_mcp',
  'reachability_a2a',
  'reachability_web',
  'quality',
  'rating',
];

const TAGS_BY_HASH = new Map(KNOWN_TAGS.map((tag) => [keccak256(stringToBytes(tag)) as string, tag]));

/** The tag with this hash; the hash itself, where nobody knows the tag. */
export function tagOfHash(hash: string): string {
  return TAGS_BY_HASH.get(hash) ?? hash;
}
