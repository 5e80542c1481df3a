import { limitAnswerOf } from './limit-answers';

/** Asked for 20,000 blocks. Told as providers word it. */
const BLOCKS: readonly (readonly [provider: string, code: number, message: string, maxBlocks: number | undefined])[] = [
  [
    'Alchemy, free',
    -32600,
    'Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your parameters, this block range should work: [0x1180fca, 0x1180fd3].',
    10,
  ],
  [
    'Alchemy',
    -32600,
    'You can make eth_getLogs requests with up to a 500 block range. Based on your parameters, this block range should work: [0x123c9b2, 0x123cba5]',
    500,
  ],
  [
    'Alchemy, older',
    -32602,
    'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size',
    2000,
  ],
  ['Infura', -32602, 'range 1000000 exceeds limit of 10000', 10_000],
  ['QuickNode, Base, Monad', -32614, 'eth_getLogs is limited to a 10,000 range', 10_000],
  ['Monad', -32614, 'eth_getLogs is limited to a 100 range', 100],
  ['publicnode', -32701, 'exceed maximum block range: 50', 50],
  ['BNB chain', -32000, 'exceed maximum block range: 5000', 5000],
  ['Ankr', -32602, 'maximum [from, to] blocks distance: 10000', 10_000],
  ['Ankr, older', -32000, 'block range is too wide', undefined],
  ['dRPC', 35, 'ranges over 10000 blocks are not supported on freetier', 10_000],
  ['Chainstack', -32000, 'Block range limit exceeded. Maximum allowed range is 100 blocks', 100],
  ['Avalanche, drpc', -32000, 'requested too many blocks from 0 to 16777216, maximum is set to 2048', 2048],
  ['SimplyVC', -32000, 'too wide blocks range, the limit is 100', 100],
  ['1rpc', -32000, 'eth_getLogs is limited to 0 - 50 blocks range', 50],
  ['Berachain', -32602, 'query exceeds max block range 1000', 1000],
  ['Cloudflare', -32000, 'Max range: 800', 800],
  ['without a number', -32602, 'invalid block range: too large', undefined],
];

const RESULTS: readonly (readonly [provider: string, code: number, message: string])[] = [
  ['Infura', -32005, 'query returned more than 10000 results. Try with this block range [0xBDE5F8, 0xBDE5FA].'],
  [
    'Alchemy',
    -32602,
    'Log response size exceeded. Based on your parameters and the response size limit, this block range should work: [0x0, 0x10]',
  ],
  [
    'Alchemy',
    -32000,
    'Query timeout exceeded. Consider reducing your query. Based on your parameters and the response size limit, this should work: [0x5223c98, 0x5223e80]',
  ],
  ['BNB chain', -32005, 'limit exceeded'],
  ['thirdweb', -32000, 'Log response size is too large'],
  ['zkSync', -32602, 'Query returned more than 10000 results. Try with this block range [0x1, 0x2].'],
  ['Chainbase', -32000, 'logs matched by query exceeds limit of 10000'],
  ['Erigon', -32000, 'backend response too large'],
  ['LinkPool', -32002, 'request timed out'],
  ['a code alone', -32616, 'no'],
];

const RATE: readonly (readonly [provider: string, code: number, message: string])[] = [
  ['Alchemy', 429, 'Your app has exceeded its compute units per second capacity.'],
  ['Infura', -32005, 'project ID request rate exceeded: daily request count exceeded, request rate limited'],
  ['QuickNode', -32012, 'credits limited to 6000/sec'],
  ['QuickNode', -32007, '50/second request limit reached'],
  ['Ankr', -32097, 'Too many requests'],
  ['publicnode', -32005, 'rate limit exceeded'],
];

describe('answers of providers to too large requests', () => {
  it.each(BLOCKS)('takes as a limit of blocks: %s', (_provider, code, message, maxBlocks) => {
    expect(limitAnswerOf(code, message, 20_000)).toEqual({ limit: 'blocks', maxBlocks });
  });

  it.each(RESULTS)('takes as a limit of results: %s', (_provider, code, message) => {
    expect(limitAnswerOf(code, message, 20_000)).toEqual({ limit: 'results' });
  });

  it.each(RATE)('takes as too many requests: %s', (_provider, code, message) => {
    expect(limitAnswerOf(code, message, 20_000)).toEqual({ limit: 'rate' });
    expect(limitAnswerOf(code, message, 0)).toEqual({ limit: 'rate' });
  });

  it('takes a refusal of a batch for one', () => {
    expect(limitAnswerOf(-32600, 'batch size exceeds the limit of 10', 0)).toEqual({ limit: 'batch' });
  });

  it.each([
    [3, 'execution reverted'],
    [-32601, 'the method eth_getBlockReceipts does not exist'],
    [-32000, 'missing trie node'],
    [-32602, 'Archive requests require a personal token'],
    [-32000, 'unknown block'],
  ])('sees no limit in %i %s', (code, message) => {
    expect(limitAnswerOf(code, message, 20_000)).toBeUndefined();
  });

  it('is not led to a range that is no smaller, nor by what stands far behind', () => {
    expect(limitAnswerOf(-32614, 'eth_getLogs is limited to a 10,000 range', 100)).toEqual({
      limit: 'blocks',
      maxBlocks: undefined,
    });
    expect(limitAnswerOf(-32000, `${'x'.repeat(600)} block range is too wide`, 20_000)).toBeUndefined();
  });
});
