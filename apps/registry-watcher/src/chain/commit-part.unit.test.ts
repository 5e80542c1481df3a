import type { ChainBlock, UriUpdatedFact } from '@sluice/agent-registry';
import { LIVE_PART_LIMITS, partOf } from './commit-part';

const HASH = `0x${'0'.repeat(64)}`;

function block(number: number, facts: number, uri = ''): ChainBlock {
  const fact: UriUpdatedFact = {
    ...{ kind: 'uri_updated', transactionHash: HASH, logIndex: 0, tokenId: '1', updatedBy: HASH },
    uri,
  };
  return { number, hash: HASH, parentHash: HASH, timestamp: 1, facts: Array<UriUpdatedFact>(facts).fill(fact) };
}

const numbers = (blocks: readonly ChainBlock[]) => partOf(blocks, LIVE_PART_LIMITS).map(({ number }) => number);

describe('partOf', () => {
  it('takes all blocks that one commit can hold', () => {
    expect(numbers([])).toEqual([]);
    expect(numbers([block(1, 0), block(2, 1_000), block(3, LIVE_PART_LIMITS.facts - 1_000)])).toEqual([1, 2, 3]);
  });

  it('ends before the block that would make it too many facts, or too much text', () => {
    expect(numbers([block(1, 1_500), block(2, 501), block(3, 1)])).toEqual([1]);
    const half = 'x'.repeat(LIVE_PART_LIMITS.characters / 2);
    expect(numbers([block(1, 1, half), block(2, 0), block(3, 1, half)])).toEqual([1, 2]);
  });

  it('takes a block alone that is more than that by itself', () => {
    expect(numbers([block(1, LIVE_PART_LIMITS.facts * 2), block(2, 0)])).toEqual([1]);
  });
});
