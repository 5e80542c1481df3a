import type { BlockRef } from '@sluice/agent-registry';
import { ScriptedChain, registration } from './testing/scripted-chain';
import { RpcRefusal, type Script } from './testing/scripted-rpc';
import { SourceFixture, until } from './testing/source-fixture';

const fixture = new SourceFixture();
afterEach(() => fixture.stop());

function chainOfAgents(blocks: number): ScriptedChain {
  const chain = new ScriptedChain();
  for (let number = 0; number < blocks; number += 1) chain.add(registration(number));
  return chain;
}

function at(chain: ScriptedChain, number: number): BlockRef & { parentHash: string; timestamp: number } {
  const block = chain.blocks[number];
  if (block === undefined) throw new Error(`there is no block ${number}`);
  const { hash, parentHash, timestamp } = block;
  return { number, hash, parentHash, timestamp };
}

const journal = (chain: ScriptedChain, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => at(chain, from + place));

/** Gives no logs of single blocks. */
const leavesOut: Script['answer'] = (call, honest) =>
  call.method === 'eth_getLogs' && 'blockHash' in (call.params[0] as object) ? [] : honest();

describe('reading near the head', () => {
  it('gives all blocks after the cursor, at most as many as asked for', async () => {
    const chain = chainOfAgents(10).addEmpty(3);
    await fixture.endpoint(chain);
    const source = fixture.source();
    const next = await source.readNext(at(chain, 7), [], 12, 100);
    expect(next).toMatchObject({ kind: 'blocks' });
    if (next.kind !== 'blocks') return;
    expect(next.blocks.map(({ number, facts }) => [number, facts.length])).toEqual([
      [8, 1],
      [9, 1],
      [10, 0],
      [11, 0],
      [12, 0],
    ]);
    expect(next.blocks.map(({ hash, parentHash }) => [hash, parentHash])).toEqual(
      journal(chain, 8, 12).map(({ hash, parentHash }) => [hash, parentHash]),
    );
    const some = await source.readNext(at(chain, 7), [], 12, 2);
    expect(some.kind === 'blocks' && some.blocks.map(({ number }) => number)).toEqual([8, 9]);
    expect(await source.readNext(at(chain, 12), [], 12, 5)).toEqual({ kind: 'blocks', blocks: [] });
  });

  it.each([1, 3, 31, 32, 40, 63])('finds the common ancestor %i blocks back', async (depth) => {
    const chain = chainOfAgents(100);
    const fork = chain.fork('other', 90 - depth).addEmpty(depth + 5);
    await fixture.endpoint(fork);
    const next = await fixture.source().readNext(at(chain, 90), journal(chain, 27, 90), fork.head, 10);
    const { number, hash } = at(chain, 90 - depth);
    expect(next).toEqual({ kind: 'reorg', ancestor: expect.objectContaining({ number, hash }) as unknown });
  });

  it('falls back to the parent of the oldest journaled block, and else to nothing', async () => {
    const chain = chainOfAgents(100);
    await fixture.endpoint(chain.fork('other', 26).addEmpty(80));
    const source = fixture.source();
    expect(await source.readNext(at(chain, 90), journal(chain, 27, 90), 100, 10)).toMatchObject({
      kind: 'reorg',
      ancestor: { number: 26 },
    });
    expect(await source.readNext(at(chain, 90), journal(chain, 28, 90), 100, 10)).toEqual({
      kind: 'reorg',
      ancestor: undefined,
    });
    expect(await source.readNext(at(chain, 90), [], 100, 10)).toEqual({ kind: 'reorg', ancestor: undefined });
  });

  it('takes a shorter chain for a lagging one until it proves to be another', async () => {
    const chain = chainOfAgents(20);
    const rpc = await fixture.endpoint(chain.fork('main', 15));
    const source = fixture.source();
    const journaled = journal(chain, 10, 19);
    expect(await source.readNext(at(chain, 19), journaled, 15, 10)).toEqual({ kind: 'blocks', blocks: [] });
    rpc.chain = chain.fork('other', 14).addEmpty(2);
    expect(await source.readNext(at(chain, 19), journaled, 16, 10)).toMatchObject({
      kind: 'reorg',
      ancestor: { number: 14, hash: at(chain, 14).hash },
    });
  });

  it('goes as far as the endpoints agree when their newest blocks are on different branches', async () => {
    const chain = chainOfAgents(20);
    await fixture.endpoint(chain);
    await fixture.endpoint(chain.fork('other', 17).addEmpty(2));
    const source = fixture.source();
    expect(await source.head()).toMatchObject({ number: 17 });
    const next = await source.readNext(at(chain, 15), [], 19, 10);
    expect(next.kind === 'blocks' && next.blocks.map(({ number }) => number)).toEqual([16, 17]);
    await expect(source.readNext(at(chain, 17), [], 19, 10)).rejects.toMatchObject({ code: 'chain_unavailable' });
    // Nobody lied.
    expect(fixture.told.quarantined).toEqual([]);
  });

  it('follows the majority where one endpoint is on another branch', async () => {
    const chain = chainOfAgents(20);
    await fixture.endpoint(chain.fork('other', 17).addEmpty(2));
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    const next = await fixture.source().readNext(at(chain, 17), [], 19, 10);
    expect(next.kind === 'blocks' && next.blocks.map(({ hash }) => hash)).toEqual([
      at(chain, 18).hash,
      at(chain, 19).hash,
    ]);
  });

  it('hands out no further than blocks follow on each other when the chain changes while it is read', async () => {
    const chain = chainOfAgents(20);
    const fork = chain.fork('other', 16).addEmpty(3);
    await fixture.endpoint(chain, {
      answer: (call, honest) =>
        call.method === 'eth_getBlockByNumber' && Number(call.params[0]) >= 18
          ? fork.answer(call.method, call.params)
          : honest(),
    });
    const next = await fixture.source().readNext(at(chain, 15), [], 19, 10);
    expect(next.kind === 'blocks' && next.blocks.map(({ number }) => number)).toEqual([16, 17]);
  });

  it('does not take nothing for the logs of a block that vanished meanwhile', async () => {
    const chain = chainOfAgents(20);
    const fork = chain.fork('other', 17).addEmpty(2);
    const rpc = await fixture.endpoint(chain);
    rpc.script = {
      answer: (call, honest) => {
        if (call.method !== 'eth_getLogs') return honest();
        rpc.chain = fork;
        return [];
      },
    };
    await expect(fixture.source().readNext(at(chain, 17), [], 19, 10)).rejects.toMatchObject({
      code: 'chain_unavailable',
    });
  });

  it('finds logs that a single endpoint left out by the bloom filter, and reads them from the receipts', async () => {
    const chain = chainOfAgents(10);
    await fixture.endpoint(chain, { answer: leavesOut });
    const next = await fixture.source().readNext(at(chain, 8), [], 9, 10);
    expect(next).toMatchObject({
      kind: 'blocks',
      blocks: [{ number: 9, facts: [{ kind: 'registered', tokenId: '9' }] }],
    });
    expect(fixture.told.bloomMismatch).toMatchObject([{ verdict: 'omission' }]);
  });

  it('says so where receipts cannot be had', async () => {
    const chain = chainOfAgents(10);
    await fixture.endpoint(chain, {
      answer: (call, honest) => {
        if (/Receipt/.test(call.method)) throw new RpcRefusal(-32601, 'the method does not exist');
        return leavesOut(call, honest);
      },
    });
    await fixture.source().readNext(at(chain, 8), [], 9, 10);
    expect(fixture.told.bloomMismatch).toMatchObject([{ verdict: 'unproven' }]);
  });

  it('asks for no receipts where filters promise nothing', async () => {
    const chain = chainOfAgents(5).addEmpty(20);
    const rpc = await fixture.endpoint(chain);
    await fixture.source().readNext(at(chain, 2), [], 24, 50);
    expect(rpc.count('eth_getBlockReceipts')).toBe(0);
  });
});

describe('waiting for a new head', () => {
  const never = new AbortController().signal;

  it('polls where there is no WebSocket, and where it cannot be reached', async () => {
    await fixture.endpoint(chainOfAgents(2));
    await fixture.source({ pollIntervalMs: 50 }).untilNewHead(never);
    const deaf = fixture.source({ pollIntervalMs: 50, wsUrl: 'ws://127.0.0.1:9/' });
    await deaf.untilNewHead(never);
    await until(() => fixture.told.headsAnnounced.some(({ connected }) => !connected));
    await deaf.untilNewHead(never);
  });

  it('ends at once on abort and on close', async () => {
    await fixture.endpoint(chainOfAgents(2));
    const source = fixture.source({ pollIntervalMs: 600_000 });
    const aborted = new AbortController();
    const first = source.untilNewHead(aborted.signal);
    aborted.abort();
    await first;
    await source.untilNewHead(aborted.signal);
    const second = source.untilNewHead(never);
    await source.close();
    await second;
  });
});
