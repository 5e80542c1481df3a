import type { BlockHeader, ChainBlock } from '@sluice/agent-registry';
import type { Address, DeployedRegistries, LocalChain } from '@sluice/local-chain';
import type { NextBlocks } from '../src/index';
import { blocksAfter, kindsOf, LocalSource } from './local-source';

describe('reorganisations of a real node', () => {
  let local: LocalSource;
  let chain: LocalChain;
  let registries: DeployedRegistries;
  let owner: Address;

  beforeAll(async () => {
    local = await LocalSource.start();
    ({ chain, registries } = local);
    owner = local.account(0);
  });

  afterEach(() => local.closeSources());

  afterAll(() => chain.stop());

  it.each([1, 2, 5])('finds the ancestor of a reorganisation of depth %i', async (depth) => {
    const source = local.source();
    const start = await source.head();
    for (let place = 0; place < 6; place += 1) await registries.register({ from: owner, uri: `u${place}` });
    const journaled = [...(await blocksAfter(source, start))];
    await chain.reorg(depth);
    const cursor = journaled.at(-1) as ChainBlock;
    const next = await source.readNext(cursor, journaled, (await source.head()).number, 100);
    const ancestor = journaled.at(-1 - depth) as ChainBlock;
    expect(next).toEqual({
      kind: 'reorg',
      ancestor: expect.objectContaining({ number: ancestor.number, hash: ancestor.hash }) as unknown,
    });
    const again = await blocksAfter(source, ancestor, journaled.slice(0, -depth));
    expect(again).toHaveLength(depth);
    expect(kindsOf(again)).toEqual([]);
  });

  it('goes back to the parent of the oldest journaled block, and knows when even that is gone', async () => {
    const source = local.source();
    await chain.mine(4);
    const base = await source.head();
    await registries.register({ from: owner });
    await registries.register({ from: owner });
    const journaled = await blocksAfter(source, base);
    await chain.reorg(2);
    const cursor = journaled[1] as ChainBlock;
    const head = await source.head();
    expect(await source.readNext(cursor, journaled, head.number, 10)).toEqual({
      kind: 'reorg',
      ancestor: { number: base.number, hash: base.hash },
    });
    await chain.reorg(4);
    expect(await source.readNext(cursor, journaled, head.number, 10)).toEqual({ kind: 'reorg', ancestor: undefined });
  });

  it('follows a chain from A to B and back to the very same A', async () => {
    const source = local.source();
    const base = await source.head();
    const again = async (from: BlockHeader, journaled: readonly BlockHeader[]): Promise<NextBlocks> =>
      source.readNext(from, journaled, (await source.head()).number, 10);
    const mineA = async (): Promise<void> => {
      await chain.rpc('evm_setNextBlockTimestamp', [base.timestamp + 1_000]);
      await registries.register({ from: owner, uri: 'A' });
    };
    let keep = await chain.snapshot();
    await mineA();
    const aBlocks = await blocksAfter(source, base);
    expect(kindsOf(aBlocks)).toEqual(['transfer', 'registered', 'metadata_set']);
    await chain.revert(keep);
    // Shorter for now: no proof of anything.
    expect(await again(aBlocks[0] as ChainBlock, [])).toEqual({ kind: 'blocks', blocks: [] });
    keep = await chain.snapshot();
    await chain.mine();
    const toB = await again(aBlocks[0] as ChainBlock, aBlocks);
    expect(toB).toEqual({ kind: 'reorg', ancestor: { number: base.number, hash: base.hash } });
    const bBlocks = await blocksAfter(source, base);
    expect(kindsOf(bBlocks)).toEqual([]);
    await chain.revert(keep);
    await mineA();
    expect(await again(bBlocks[0] as ChainBlock, bBlocks)).toMatchObject({
      kind: 'reorg',
      ancestor: { hash: base.hash },
    });
    expect(await blocksAfter(source, base)).toEqual(aBlocks);
  });
});
