import { UNKNOWN_PARENT_HASH, type HistoryRange, type RegistrySource } from './source';
import { eventLog, ScriptedChain, REPUTATION, registration } from './testing/scripted-chain';
import { RpcRefusal, type Call, type Script } from './testing/scripted-rpc';
import { SourceFixture, until } from './testing/source-fixture';

const fixture = new SourceFixture();
afterEach(() => fixture.stop());

function sparseChain(blocks: number, every: number): ScriptedChain {
  const chain = new ScriptedChain();
  for (let number = 0; number < blocks; number += 1) {
    if (number % every === 0) chain.add(registration(number));
    else chain.add();
  }
  return chain;
}

async function readAll(source: RegistrySource, from: number, upTo: number): Promise<HistoryRange[]> {
  const ranges: HistoryRange[] = [];
  for (let next = from; next <= upTo; next = (ranges.at(-1)?.last.number ?? next) + 1) {
    ranges.push(await source.readHistory(next, upTo));
  }
  return ranges;
}

const numbersOf = (ranges: readonly HistoryRange[]): number[] =>
  ranges.flatMap(({ blocks }) => blocks.map(({ number }) => number));

const multiplesOf = (every: number, below: number): number[] =>
  Array.from({ length: Math.ceil(below / every) }, (_, place) => place * every);

interface Range {
  readonly fromBlock: string;
  readonly toBlock: string;
  readonly topics: readonly (readonly string[])[];
}

function rangeOf(call: Call): number {
  const { fromBlock, toBlock } = call.params[0] as Range;
  return Number(toBlock) - Number(fromBlock) + 1;
}

function refusing(when: (call: Call, honest: () => unknown) => boolean, code: number, message: string): Script {
  return {
    answer: (call, honest) => {
      if (call.method === 'eth_getLogs' && when(call, honest)) throw new RpcRefusal(code, message);
      return honest();
    },
  };
}

describe('reading history', () => {
  it('gives every block with facts once and in order, up to the end and no further', async () => {
    await fixture.endpoint(sparseChain(3_000, 7));
    const ranges = await readAll(fixture.source({ maxBlockRange: 500 }), 0, 2_500);
    expect(numbersOf(ranges)).toEqual(multiplesOf(7, 2_501));
    expect(ranges.at(-1)?.last.number).toBe(2_500);
    let next = 0;
    for (const { first, last } of ranges) {
      expect(first.number).toBe(next);
      next = last.number + 1;
    }
    expect(Math.max(...fixture.told.rangeRead.map(({ blocks }) => blocks))).toBe(500);
  });

  it('learns how many blocks an endpoint takes from what it says, and does not ask for more again', async () => {
    const rpc = await fixture.endpoint(
      sparseChain(2_000, 9),
      refusing((call) => rangeOf(call) > 120, -32614, 'eth_getLogs is limited to a 120 range'),
    );
    expect(numbersOf(await readAll(fixture.source(), 0, 1_999))).toEqual(multiplesOf(9, 2_000));
    const refused = rpc.calls.filter((call) => call.method === 'eth_getLogs' && rangeOf(call) > 120);
    // Ranges that were under way together, for registries and for attestations.
    expect(refused.length).toBeLessThanOrEqual(8);
    expect(fixture.told.rangeLearned).toContainEqual(expect.objectContaining({ blocks: 120 }));
  });

  it('learns it by halving where it says no number', async () => {
    await fixture.endpoint(
      sparseChain(1_000, 9),
      refusing((call) => rangeOf(call) > 50, -32600, 'block range is too wide'),
    );
    expect(numbersOf(await readAll(fixture.source(), 0, 999))).toEqual(multiplesOf(9, 1_000));
  });

  it('splits ranges with too many logs, and single blocks by their topics', async () => {
    const chain = sparseChain(100, 1);
    const feedback = { agentId: 1n, clientAddress: `0x${'c'.repeat(40)}`, feedbackIndex: 1n };
    chain.add(
      ...multiplesOf(1, 30).map(registration),
      ...multiplesOf(1, 30).map(() => eventLog(REPUTATION, 'feedbackRevoked', feedback)),
    );
    chain.addEmpty(10);
    await fixture.endpoint(
      chain,
      refusing((_call, honest) => (honest() as unknown[]).length > 40, -32005, 'query returned more than 40 results'),
    );
    const ranges = await readAll(fixture.source(), 0, 110);
    expect(ranges.flatMap(({ blocks }) => blocks.flatMap(({ facts }) => facts))).toHaveLength(160);
    const full = ranges.flatMap(({ blocks }) => blocks).find(({ number }) => number === 100);
    expect(full?.facts.map(({ logIndex }) => logIndex)).toEqual(multiplesOf(1, 60));
  });

  it('splits at HTTP 413 and at answers that are too large for us', async () => {
    const chain = sparseChain(300, 1);
    await fixture.endpoint(chain, {
      respond: (response, [call]) => {
        if (call?.method !== 'eth_getLogs' || rangeOf(call) <= 30) return false;
        response.writeHead(413).end('Request Entity Too Large');
        return true;
      },
    });
    expect(numbersOf(await readAll(fixture.source(), 0, 299))).toEqual(multiplesOf(1, 300));
    const small = fixture.source({}, { maxResponseBytes: 20_000 });
    expect(numbersOf(await readAll(small, 0, 299))).toEqual(multiplesOf(1, 300));
  });

  it('prefers endpoints that take the whole range', async () => {
    const chain = sparseChain(2_000, 9);
    const narrow = refusing(
      (call) => rangeOf(call) > 10,
      -32600,
      'You can make eth_getLogs requests with up to a 10 block range',
    );
    const stingy = await fixture.endpoint(chain, narrow);
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    expect(numbersOf(await readAll(fixture.source(), 0, 1_999))).toEqual(multiplesOf(9, 2_000));
    expect(stingy.count('eth_getLogs')).toBeLessThan(50);
  });

  it('makes ranges smaller where they hold many logs', async () => {
    await fixture.endpoint(sparseChain(600, 1));
    await readAll(fixture.source({}, { maxLogsPerRange: 20 }), 0, 599);
    const late = fixture.told.rangeRead.slice(8);
    expect(late.length).toBeGreaterThan(5);
    expect(Math.max(...late.map(({ logs }) => logs))).toBeLessThanOrEqual(40);
  });

  it('fetches the next ranges while one is worked off, no more of them than allowed', async () => {
    const rpc = await fixture.endpoint(sparseChain(5_000, 50));
    const source = fixture.source({ maxBlockRange: 100, eas: undefined }, { prefetchedRanges: 2 });
    const first = await source.readHistory(0, 4_999);
    await until(() => rpc.count('eth_getLogs') === 3);
    const second = await source.readHistory(first.last.number + 1, 4_999);
    expect(second.first.number).toBe(first.last.number + 1);
    await until(() => rpc.count('eth_getLogs') === 4);
    // Another place: what was fetched ahead is forgotten.
    expect((await source.readHistory(4_000, 4_999)).first.number).toBe(4_000);
  });

  it('asks for headers where logs tell no time, and for those that may still be journaled', async () => {
    const chain = sparseChain(300, 10);
    const silent = (call: Call, honest: () => unknown): unknown =>
      call.method === 'eth_getLogs'
        ? (honest() as object[]).map((log) => ({ ...log, blockTimestamp: undefined }))
        : honest();
    await fixture.endpoint(chain, { answer: silent });
    for (const range of await readAll(fixture.source(), 0, 299)) {
      for (const { number, hash, parentHash, timestamp } of range.blocks) {
        expect({ number, hash, parentHash, timestamp }).toEqual({ ...chain.blocks[number], logs: undefined });
      }
    }
    await fixture.endpoint(chain);
    const told = (
      await readAll(fixture.source({ agreement: 1, rpcUrls: [fixture.rpcs[1]?.url ?? ''] }), 0, 299)
    ).flatMap(({ blocks }) => blocks);
    expect(told.find(({ number }) => number === 20)).toMatchObject({
      parentHash: UNKNOWN_PARENT_HASH,
      timestamp: chain.blocks[20]?.timestamp,
    });
    for (const { number, parentHash } of told.slice(-6)) expect(parentHash).toBe(chain.blocks[number]?.parentHash);
  });

  it('does not take the times of one endpoint where the other tells none', async () => {
    const chain = sparseChain(200, 10);
    const early = (call: Call, honest: () => unknown): unknown =>
      call.method === 'eth_getLogs'
        ? (honest() as object[]).map((log) => ({ ...log, blockTimestamp: '0x1' }))
        : honest();
    await fixture.endpoint(chain, { answer: early });
    await fixture.endpoint(chain);
    for (const { blocks } of await readAll(fixture.source(), 0, 199)) {
      for (const { number, timestamp } of blocks) expect(timestamp).toBe(chain.blocks[number]?.timestamp);
    }
  });

  it('takes no batches for no answer: makes them smaller, down to single calls', async () => {
    const chain = sparseChain(100, 1);
    const rpc = await fixture.endpoint(chain, {
      answer: (call, honest) =>
        call.method === 'eth_getLogs'
          ? (honest() as object[]).map((log) => ({ ...log, blockTimestamp: undefined }))
          : honest(),
      respond: (response, calls, isBatch) => {
        if (!isBatch || calls.length <= 1) return false;
        response
          .writeHead(200)
          .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch requests are not supported"}}');
        return true;
      },
    });
    expect(numbersOf(await readAll(fixture.source(), 0, 99))).toEqual(multiplesOf(1, 100));
    expect(rpc.batchSizes.filter((size) => size > 1).length).toBeLessThan(20);
  });

  it('reads what was attested, and leaves out what has no such form', async () => {
    const chain = new ScriptedChain().addEmpty(2);
    const uid = `0x${'6'.repeat(64)}`;
    const unknown = `0x${'7'.repeat(64)}`;
    const said = { agentId: '31337:0', score: 5, tags: ['a'], context: 'ü' };
    const log = chain.attest(uid, said);
    const other = { ...chain.attest(unknown, said) };
    chain.attestations.delete(unknown);
    chain.add(log, other);
    const rpc = await fixture.endpoint(chain, {
      answer: (call, honest) => {
        // No state of old blocks is kept.
        if (call.method === 'eth_call' && call.params[1] !== 'latest') throw new RpcRefusal(3, 'execution reverted');
        return honest();
      },
    });
    const { blocks } = await fixture.source().readHistory(0, 2);
    expect(blocks[0]?.facts).toMatchObject([
      { kind: 'attested', uid, attestation: said },
      { kind: 'attested', uid: unknown },
    ]);
    expect(blocks[0]?.facts[1]).not.toHaveProperty('attestation');
    expect(rpc.count('eth_call')).toBe(3);
    const cursor = chain.blocks[1];
    if (cursor === undefined) throw new Error('no block');
    // Near the head it may be the endpoint that lags: nothing is lost for that.
    await expect(fixture.source().readNext(cursor, [], 2, 5)).rejects.toMatchObject({ code: 'chain_unavailable' });
  });
});
