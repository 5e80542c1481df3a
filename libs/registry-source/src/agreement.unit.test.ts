import { SluiceError } from '@sluice/event-log';
import { createRegistrySource } from './create-registry-source';
import { ScriptedChain, registration } from './testing/scripted-chain';
import type { Script } from './testing/scripted-rpc';
import { SourceFixture } from './testing/source-fixture';

const fixture = new SourceFixture();
afterEach(() => fixture.stop());

function chainOfAgents(blocks = 20): ScriptedChain {
  const chain = new ScriptedChain().addEmpty(1);
  for (let number = 1; number < blocks; number += 1) chain.add(registration(number));
  return chain;
}

/** Answers logs without the last one. */
const leavesOutALog: Script = {
  answer: (call, honest) => (call.method === 'eth_getLogs' ? (honest() as unknown[]).slice(0, -1) : honest()),
};

/** Says something else of every log. */
const altersLogs: Script = {
  answer: (call, honest) =>
    call.method === 'eth_getLogs'
      ? (honest() as object[]).map((log) => ({ ...log, transactionHash: `0x${'e'.repeat(64)}` }))
      : honest(),
};

const down: Script = { respond: (response) => Boolean(response.destroy()) };

async function unavailable(asked: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  expect(error).toMatchObject({ code: 'chain_unavailable', retryable: true });
  return error as SluiceError;
}

const factCount = (blocks: readonly { facts: readonly unknown[] }[]): number =>
  blocks.flatMap(({ facts }) => facts).length;

describe('endpoints that have to agree', () => {
  it('asks no more than needed while all is well', async () => {
    const chain = chainOfAgents();
    for (let place = 0; place < 3; place += 1) await fixture.endpoint(chain);
    const { blocks } = await fixture.source({ maxBlockRange: 100 }).readHistory(0, 19);
    expect(factCount(blocks)).toBe(19);
    expect(fixture.rpcs.map((rpc) => rpc.count('eth_getLogs'))).toEqual([2, 2, 0]);
    expect(fixture.told.disagreed).toEqual([]);
  });

  it.each([
    ['leaves out a log', leavesOutALog],
    ['alters logs', altersLogs],
  ])('asks a third one where one of two %s, and quarantines the liar', async (_what, script) => {
    const chain = chainOfAgents();
    await fixture.endpoint(chain, script);
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    const source = fixture.source();
    const { blocks } = await source.readHistory(0, 10);
    expect(factCount(blocks)).toBe(10);
    const liar = new URL(fixture.rpcs[0]?.url ?? '').host;
    expect(fixture.told.disagreed).toMatchObject([{ endpoint: `${liar}#1` }]);
    expect(fixture.told.quarantined).toMatchObject([{ endpoint: `${liar}#1`, forMs: 60_000 }]);
    const before = fixture.rpcs[0]?.count('eth_getLogs');
    expect(factCount((await source.readNext(await headerAt(11), [], 19, 5)).kind === 'blocks' ? blocks : [])).toBe(10);
    expect(fixture.rpcs[0]?.count('eth_getLogs')).toBe(before);

    async function headerAt(number: number) {
      const header = await source.header(number);
      if (header === undefined) throw new Error('no header');
      return header;
    }
  });

  it('guesses nothing where two endpoints differ', async () => {
    const chain = chainOfAgents();
    await fixture.endpoint(chain);
    await fixture.endpoint(chain, leavesOutALog);
    const error = await unavailable(fixture.source().readHistory(1, 1));
    expect(error.message).toContain('differ');
    expect(fixture.told.quarantined).toEqual([]);
  });

  it('finds wrong hashes of headers by the same means', async () => {
    const chain = chainOfAgents();
    await fixture.endpoint(chain, {
      answer: (call, honest) =>
        call.method === 'eth_getBlockByNumber' ? { ...(honest() as object), hash: `0x${'d'.repeat(64)}` } : honest(),
    });
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    const source = fixture.source();
    expect(await source.head()).toMatchObject({ number: 19, hash: chain.blocks[19]?.hash });
    expect(fixture.told.disagreed.length).toBeGreaterThan(0);
  });

  it('takes the newest block that enough have for the head, and does not ask who lags', async () => {
    const chain = chainOfAgents(30);
    const lagging = new ScriptedChain();
    lagging.blocks.push(...chain.blocks.slice(0, 10));
    await fixture.endpoint(lagging);
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    const source = fixture.source();
    expect(await source.head()).toMatchObject({ number: 29 });
    const before = fixture.rpcs[0]?.calls.length;
    const { blocks } = await source.readHistory(15, 20);
    expect(factCount(blocks)).toBe(6);
    expect(fixture.rpcs[0]?.calls.length).toBe(before);
    expect(fixture.told.disagreed).toEqual([]);
  });

  it('has the lower head where only one of two is ahead', async () => {
    const chain = chainOfAgents(30);
    const lagging = new ScriptedChain();
    lagging.blocks.push(...chain.blocks.slice(0, 10));
    await fixture.endpoint(chain);
    await fixture.endpoint(lagging);
    expect(await fixture.source().head()).toMatchObject({ number: 9 });
  });

  it('goes on with the others when one is down, and leaves it alone', async () => {
    const chain = chainOfAgents();
    const first = await fixture.endpoint(chain, down);
    await fixture.endpoint(chain);
    // Longer than this test: on a busy machine a short rest is over before the next request.
    const source = fixture.source({ agreement: 1 }, { backOffBaseMs: 600_000, backOffMaxMs: 600_000 });
    for (let number = 0; number < 5; number += 1) expect(await source.header(number)).toMatchObject({ number });
    expect(first.calls.length).toBeLessThan(5);
    expect(fixture.told.requested.some(({ outcome }) => outcome === 'unavailable')).toBe(true);
  });

  it('comes back to one that was down', async () => {
    const chain = chainOfAgents();
    const first = await fixture.endpoint(chain, down);
    await fixture.endpoint(chain);
    const source = fixture.source({ agreement: 1 });
    expect(await source.header(1)).toMatchObject({ number: 1 });
    first.script = {};
    while (first.count('eth_getBlockByNumber') === 0) await source.header(1);
  });

  it('is unavailable, for a while, when all are down', async () => {
    await fixture.endpoint(chainOfAgents(), down);
    const error = await unavailable(fixture.source().head());
    expect(error.retryAfterMs).toBeLessThanOrEqual(50);
    expect(fixture.rpcs[0]?.calls.length).toBe(3);
  });

  it('does not believe an endpoint of another chain', async () => {
    const chain = chainOfAgents();
    const stranger = await fixture.endpoint(chain, {
      answer: (call, honest) => (call.method === 'eth_chainId' ? '0x1' : honest()),
    });
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    const source = fixture.source();
    expect(await source.head()).toMatchObject({ number: 19 });
    await source.readHistory(1, 5);
    expect(stranger.calls.map(({ method }) => method)).toEqual(['eth_chainId']);
    expect(fixture.told.wrongChain).toMatchObject([{ chainId: '1' }]);
  });

  it('refuses a configuration in which more have to agree than there are', async () => {
    await fixture.endpoint(chainOfAgents());
    const chain = { ...fixture.config(), agreement: 2 };
    expect(() => createRegistrySource({ chain })).toThrow(expect.objectContaining({ code: 'configuration' }) as Error);
  });

  it('ends what is under way when it is closed', async () => {
    await fixture.endpoint(chainOfAgents(), { respond: () => true });
    const source = fixture.source({}, { requestTimeoutMs: 60_000 });
    const asked = unavailable(source.header(1));
    await source.close();
    await asked;
    await unavailable(source.header(1));
  });
});

describe('an endpoint that takes its time', () => {
  it('has another one asked beside it, and is asked last from then on', async () => {
    const chain = chainOfAgents();
    const slow = await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    await fixture.endpoint(chain);
    const source = fixture.source({}, { requestTimeoutMs: 60_000, hedgeAfterMs: 1_000 });
    await source.head();
    slow.script = { respond: () => true };
    expect(await source.header(3)).toMatchObject({ number: 3 });
    const before = slow.calls.length;
    expect(await source.header(4)).toMatchObject({ number: 4 });
    expect(slow.calls.length).toBe(before);
  });
});
