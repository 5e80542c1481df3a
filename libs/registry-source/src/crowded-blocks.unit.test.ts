import type { BlockRef } from '@sluice/agent-registry';
import type { RegistrySource } from './source';
import {
  AGENTS,
  ALL_INDEXES,
  CROWDED,
  capped,
  crowdedChain,
  indexesOf,
  type BlocksOfLogs,
} from './testing/crowded-chain';
import { REPUTATION, ScriptedChain, registration } from './testing/scripted-chain';
import { RpcRefusal } from './testing/scripted-rpc';
import { SourceFixture } from './testing/source-fixture';

const fixture = new SourceFixture();
afterEach(() => fixture.stop());

function at(chain: ScriptedChain, number: number): BlockRef {
  const block = chain.blocks[number];
  if (block === undefined) throw new Error(`there is no block ${number}`);
  return { number, hash: block.hash };
}

const ways = {
  history: async (source: RegistrySource) => {
    const blocks = [];
    for (let from = 0; from <= 4;) {
      const range = await source.readHistory(from, 4);
      blocks.push(...range.blocks);
      from = range.last.number + 1;
    }
    return blocks;
  },
  live: async (source: RegistrySource, chain: ScriptedChain) => {
    const next = await source.readNext(at(chain, 0), [], 4, 10);
    return next.kind === 'blocks' ? next.blocks.filter(({ facts }) => facts.length > 0) : [];
  },
};
const EACH_WAY = [
  ['history', ways.history],
  ['live', ways.live],
] as const;

const expectAll = (blocks: BlocksOfLogs): void => expect(indexesOf(blocks)).toEqual(ALL_INDEXES);

describe.each(EACH_WAY)('a block with too many logs of one event for one answer (%s)', (_way, read) => {
  it('is read from the receipts of the block, and others are not', async () => {
    const chain = crowdedChain();
    const rpc = await fixture.endpoint(chain, capped(40));
    expectAll(await read(fixture.source(), chain));
    const receipts = rpc.calls.filter(({ method }) => method === 'eth_getBlockReceipts');
    expect(receipts.map(({ params }) => params)).toEqual([['0x3']]);
    expect(rpc.count('eth_getTransactionReceipt')).toBe(0);
  });

  it('is read from the receipts of its transactions, in bounded batches, where there are none of blocks', async () => {
    const chain = crowdedChain();
    const rpc = await fixture.endpoint(chain, capped(40, 'eth_getBlockReceipts'));
    expectAll(await read(fixture.source({}, { maxBatchCalls: 4 }), chain));
    expect(rpc.count('eth_getTransactionReceipt')).toBe(11);
    expect(Math.max(...rpc.batchSizes)).toBeLessThanOrEqual(4);
  });

  it('is read when its logs, and its receipts, are larger than any answer may be', async () => {
    const chain = crowdedChain();
    const rpc = await fixture.endpoint(chain);
    expectAll(await read(fixture.source({}, { maxResponseBytes: 12_000 }), chain));
    expect(rpc.count('eth_getTransactionReceipt')).toBeGreaterThan(0);
  });

  it('is read while the endpoint has too many requests now and then', async () => {
    const chain = crowdedChain();
    const rpc = await fixture.endpoint(chain, capped(40, 'eth_getBlockReceipts'));
    let isRefused = false;
    rpc.script.respond = (response, [call]) => {
      isRefused = call?.method === 'eth_getTransactionReceipt' && !isRefused;
      if (isRefused) response.writeHead(429).end();
      return isRefused;
    };
    expectAll(await read(fixture.source({}, { maxBatchCalls: 4 }), chain));
    expect(rpc.batchSizes.length).toBeGreaterThan(6);
  });

  it('is agreed on with an endpoint that gives all of it at once', async () => {
    const chain = crowdedChain();
    await fixture.endpoint(chain, capped(40));
    await fixture.endpoint(chain);
    expectAll(await read(fixture.source(), chain));
    expect(fixture.told.disagreed).toEqual([]);
  });

  it('finds out who leaves something out of receipts', async () => {
    const chain = crowdedChain();
    const { answer } = capped(40);
    await fixture.endpoint(chain, {
      answer: (call, honest) => {
        const result = answer?.(call, honest);
        if (call.method !== 'eth_getBlockReceipts') return result;
        return (result as { logs: unknown[] }[]).map((one) => ({ ...one, logs: one.logs.slice(1) }));
      },
    });
    await fixture.endpoint(chain, capped(40));
    await fixture.endpoint(chain);
    expectAll(await read(fixture.source(), chain));
    const liar = new URL(fixture.rpcs[0]?.url ?? '').host;
    expect(fixture.told.quarantined).toMatchObject([{ endpoint: `${liar}#1` }]);
  });

  it('does not take the receipts of some transactions for those of all', async () => {
    const chain = crowdedChain();
    const { answer } = capped(40);
    await fixture.endpoint(chain, {
      answer: (call, honest) => {
        const result = answer?.(call, honest);
        return call.method === 'eth_getBlockReceipts' ? (result as unknown[]).slice(1) : result;
      },
    });
    expectAll(await read(fixture.source(), chain));
  });

  it('is named by the fault where it cannot be read', async () => {
    const chain = crowdedChain();
    const rpc = await fixture.endpoint(chain, capped(40, 'eth_getBlockReceipts', 'eth_getTransactionReceipt'));
    const source = fixture.source();
    const tries = async (): Promise<unknown> => {
      for (;;) await read(source, chain);
    };
    await expect(tries()).rejects.toMatchObject({
      code: 'chain_unavailable',
      message: expect.stringContaining(`block ${CROWDED}:`) as unknown,
    });
    // Bounded: nobody asks on and on.
    expect(rpc.calls.length).toBeLessThan(400);
  });

  it('is not read where it has more transactions than are asked for', async () => {
    const chain = crowdedChain();
    await fixture.endpoint(chain, capped(40, 'eth_getBlockReceipts'));
    await expect(read(fixture.source({}, { maxReceiptsPerBlock: 10 }), chain)).rejects.toThrow(/block 3:.*11/);
  });
});

describe('the bloom filter of a block that one endpoint gives by receipts', () => {
  it('finds what the receipts left out', async () => {
    const chain = crowdedChain();
    const { answer } = capped(40);
    await fixture.endpoint(chain, {
      answer: (call, honest) => {
        const result = answer?.(call, honest);
        if (call.method !== 'eth_getBlockReceipts') return result;
        return (result as { logs: { address: string }[] }[]).map((one) => ({
          ...one,
          logs: one.logs.filter(({ address }) => address !== REPUTATION),
        }));
      },
    });
    expectAll(await ways.live(fixture.source(), chain));
    expect(fixture.told.bloomMismatch).toContainEqual(expect.objectContaining({ verdict: 'omission' }));
  });

  it('is asked where an endpoint gives nothing for a block whose receipts are too large', async () => {
    const chain = crowdedChain();
    await fixture.endpoint(chain, {
      answer: (call, honest) => (call.method === 'eth_getLogs' ? [] : honest()),
    });
    expectAll(await ways.live(fixture.source({}, { maxResponseBytes: 12_000 }), chain));
  });
});

describe('a bloom filter that cannot be looked into', () => {
  it('does not halt the chain where the block has too many receipts', async () => {
    const chain = crowdedChain();
    await fixture.endpoint(chain, {
      answer: (call, honest) => {
        if (call.method === 'eth_getBlockReceipts') throw new RpcRefusal(-32601, 'the method does not exist');
        if (call.method !== 'eth_getLogs') return honest();
        return (honest() as { address: string }[]).filter(({ address }) => address !== REPUTATION);
      },
    });
    const blocks = await ways.live(fixture.source({}, { maxReceiptsPerBlock: 10 }), chain);
    expect(blocks.map(({ facts }) => facts.length)).toEqual([1, AGENTS, 1]);
    expect(fixture.told.bloomMismatch).toMatchObject([{ verdict: 'unproven' }]);
  });
});

describe('blocks that are too much together', () => {
  const BLOCKS = 40;

  it.each([
    [
      'near the head',
      async (source: RegistrySource, chain: ScriptedChain, from: number) => {
        const next = await source.readNext(at(chain, from - 1), [], BLOCKS, 64);
        return next.kind === 'blocks' ? next.blocks : [];
      },
    ],
    [
      'in history',
      async (source: RegistrySource, _chain: ScriptedChain, from: number) =>
        (await source.readHistory(from, BLOCKS)).blocks,
    ],
  ])('are read fewer at once after a fault, %s', async (_where, readFrom) => {
    const chain = new ScriptedChain().addEmpty(1);
    for (let number = 1; number <= BLOCKS; number += 1) chain.add(registration(number), registration(100 + number));
    await fixture.endpoint(chain);
    const source = fixture.source({}, { maxLogBytes: 4_000 });
    const read: number[] = [];
    let faults = 0;
    while ((read.at(-1) ?? 0) < BLOCKS) {
      try {
        read.push(...(await readFrom(source, chain, (read.at(-1) ?? 0) + 1)).map(({ number }) => number));
      } catch (error) {
        faults += 1;
        if (faults > 50) throw error;
      }
    }
    expect(read).toEqual(Array.from({ length: BLOCKS }, (_, place) => place + 1));
    expect(faults).toBeGreaterThan(0);
  });

  it('are read fewer at once where an answer is large and comes slowly', async () => {
    const chain = crowdedChain();
    await fixture.endpoint(chain, {
      respond: (response, [call]) => {
        const filter = call?.params[0] as { fromBlock?: string; toBlock?: string };
        if (call?.method !== 'eth_getLogs' || filter.fromBlock === filter.toBlock) return false;
        response.writeHead(200);
        response.write(' '.repeat(2 * 1024 * 1024));
        return true;
      },
    });
    expectAll(await ways.history(fixture.source({}, { requestTimeoutMs: 200 })));
  });
});

describe('how many calls an endpoint takes in a batch', () => {
  it('is tried again, slowly, after it had to be made smaller', async () => {
    const chain = new ScriptedChain().addEmpty(30);
    const rpc = await fixture.endpoint(chain);
    let most = 2;
    rpc.script.respond = (response, calls) => {
      if (calls.length <= most) return false;
      response.writeHead(413).end();
      return true;
    };
    const source = fixture.source({ eas: undefined }, { maxBatchCalls: 4 });
    const read = async (): Promise<number> => {
      rpc.batchSizes.length = 0;
      await source.readNext(at(chain, 1), [], 29, 3);
      return Math.max(...rpc.batchSizes);
    };
    await read();
    expect(await read()).toBe(2);
    most = 4;
    let rounds = 0;
    while ((await read()) < 4 && rounds < 1_000) rounds += 1;
    expect(rounds).toBeGreaterThan(5);
    expect(await read()).toBe(4);
  });
});
