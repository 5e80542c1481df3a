import { ALL_INDEXES, CROWDED, capped, crowdedChain, indexesOf } from './testing/crowded-chain';
import type { ScriptedChain } from './testing/scripted-chain';
import type { Script } from './testing/scripted-rpc';
import { SourceFixture } from './testing/source-fixture';

const fixture = new SourceFixture();
afterEach(() => fixture.stop());

/** The blocks with facts behind block 0. */
async function read(chain: ScriptedChain) {
  const hash = chain.blocks[0]?.hash ?? '';
  const next = await fixture.source().readNext({ number: 0, hash }, [], chain.head, 10);
  return next.kind === 'blocks' ? next.blocks.filter(({ facts }) => facts.length > 0) : [];
}

describe('a crowded block near the head, at endpoints that are many machines', () => {
  it('is not taken for empty where those that lag say nothing of its number', async () => {
    const chain = crowdedChain();
    const { answer } = capped(40);
    const script: Script = {
      answer: (call, honest) =>
        call.method === 'eth_getLogs' && 'fromBlock' in (call.params[0] as object) ? [] : answer?.(call, honest),
    };
    await fixture.endpoint(chain, script);
    await fixture.endpoint(chain, script);
    expect(indexesOf(await read(chain))).toEqual(ALL_INDEXES);
  });

  it('is not taken for another one with its number, which is there for a moment', async () => {
    const chain = crowdedChain();
    const fork = chain.fork('other', CROWDED - 1).addEmpty(2);
    const { answer } = capped(40);
    for (let place = 0; place < 2; place += 1) {
      const rpc = await fixture.endpoint(chain);
      rpc.script.answer = (call, honest) => {
        const { topics } = (call.params[0] ?? {}) as { topics?: string[][] };
        // Refused, it is asked for by receipts.
        if (topics?.[0]?.length === 1) rpc.chain = fork;
        const result = answer?.(call, () => (topics === undefined ? honest() : chain.answer(call.method, call.params)));
        if (call.method === 'eth_getBlockReceipts') rpc.chain = chain;
        return result;
      };
    }
    await expect(read(chain)).rejects.toMatchObject({ code: 'chain_unavailable' });
  });
});
