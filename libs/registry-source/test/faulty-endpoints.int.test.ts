import { chainConfigSchema, type ChainBlock, type ChainConfigInput } from '@sluice/agent-registry';
import {
  startFaultyRpc,
  startLocalChain,
  type DeployedRegistries,
  type FaultyRpc,
  type LocalChain,
  type RpcFaults,
} from '@sluice/local-chain';
import { checkChain, createRegistrySource, type RegistrySource } from '../src/index';
import { until } from '../src/testing/source-fixture';

const CONFIRMATIONS = 5;
const LIMITS = {
  requestTimeoutMs: 2_500,
  backOffBaseMs: 10,
  backOffMaxMs: 50,
  headGraceMs: 1_000,
  quarantineMs: 200,
  hedgeAfterMs: 200,
};
const MAX_CALLS = 2_000;

describe('a source on faulty endpoints of a real node', () => {
  let chain: LocalChain;
  let registries: DeployedRegistries;
  let owner: `0x${string}`;
  const endpoints: FaultyRpc[] = [];
  const sources: RegistrySource[] = [];

  beforeAll(async () => {
    chain = await startLocalChain();
    registries = await chain.deployRegistries();
    owner = chain.accounts[0] as `0x${string}`;
    for (let place = 0; place < 40; place += 1) {
      await registries.register({ from: owner, uri: `u${place}` });
      if (place % 3 === 0) await chain.mine(2);
      if (place % 5 === 0) await registries.attest({ from: owner, agentId: `31337:${place}`, score: 3 });
    }
  });

  afterEach(async () => {
    for (const source of sources.splice(0)) await source.close();
    for (const endpoint of endpoints.splice(0)) await endpoint.stop();
  });

  afterAll(() => chain.stop());

  async function sourceOn(
    faults: readonly RpcFaults[],
    overrides: Partial<ChainConfigInput> = {},
    limits: object = {},
  ): Promise<RegistrySource> {
    for (const [place, some] of faults.entries()) {
      endpoints.push(await startFaultyRpc({ target: chain.rpcUrl, faults: some, seed: place + 1 }));
    }
    const input = {
      ...registries.chainConfig(),
      wsUrl: undefined,
      rpcUrls: endpoints.map(({ url }) => url),
      ...overrides,
    };
    const source = createRegistrySource({ chain: chainConfigSchema.parse(input), limits: { ...LIMITS, ...limits } });
    sources.push(source);
    return source;
  }

  /** History up to the final block and block by block from there, however often it takes. */
  async function readAll(source: RegistrySource, upTo: number): Promise<ChainBlock[]> {
    const blocks: ChainBlock[] = [];
    let cursor = { number: -1, hash: '' };
    for (let calls = 0; cursor.number < upTo; calls += 1) {
      if (calls > MAX_CALLS) throw new Error(`stuck at block ${cursor.number}`);
      try {
        const final = upTo - CONFIRMATIONS;
        if (cursor.number < final) {
          const range = await source.readHistory(cursor.number + 1, final);
          blocks.push(...range.blocks);
          cursor = range.last;
          continue;
        }
        const next = await source.readNext(cursor, [], upTo, 3);
        if (next.kind !== 'blocks') throw new Error('a reorganisation');
        blocks.push(...next.blocks.filter(({ facts }) => facts.length > 0));
        cursor = next.blocks.at(-1) ?? cursor;
      } catch (error) {
        expect(error).toMatchObject({ code: 'chain_unavailable' });
      }
    }
    return blocks;
  }

  const essence = (blocks: readonly ChainBlock[]): unknown =>
    blocks.map(({ number, hash, timestamp, facts }) => ({ number, hash, timestamp, facts }));

  it.each<readonly [string, readonly RpcFaults[]]>([
    ['one lags', [{ lagBlocks: 8 }, {}, {}]],
    ['one leaves out logs', [{ omitLogShare: 0.5 }, {}, {}]],
    ['one alters logs and blocks', [{ alterLogShare: 0.4, alterBlockShare: 0.4 }, {}, {}]],
    ['all take few blocks', [{ maxLogRange: 7 }, { maxLogRange: 11 }, { maxLogRange: 13 }]],
    ['all give few logs', [{ maxLogs: 9 }, { maxLogs: 12 }, { maxLogs: 20 }]],
    [
      'all fail at times',
      [{ errorShare: 0.2, garbageShare: 0.1 }, { rateLimitShare: 0.2 }, { errorShare: 0.2, timeoutShare: 0.02 }],
    ],
    ['one is down, one lags', [{ down: true }, { lagBlocks: 2 }, {}, {}]],
  ])('reads the truth where %s', async (_what, faults) => {
    const upTo = (await chain.head()).number;
    const honest = await readAll(await sourceOn([{}]), upTo);
    expect(honest.length).toBeGreaterThan(40);
    for (const endpoint of endpoints.splice(0)) await endpoint.stop();
    expect(essence(await readAll(await sourceOn(faults), upTo))).toEqual(essence(honest));
  });

  it('reads the truth near the head from a single endpoint that leaves out logs', async () => {
    const upTo = (await chain.head()).number;
    const honest = await sourceOn([{}]);
    const cursor = await honest.header(upTo - 12);
    if (cursor === undefined) throw new Error('no cursor');
    const truth = await honest.readNext(cursor, [], upTo, 12);
    for (const endpoint of endpoints.splice(0)) await endpoint.stop();
    expect(await (await sourceOn([{ omitLogShare: 1 }])).readNext(cursor, [], upTo, 12)).toEqual(truth);
    expect(endpoints[0]?.counts().faults.get('omitLog')).toBeGreaterThan(0);
  });

  it('checks a chain: what works, and what does not', async () => {
    const input = registries.chainConfig({ wsUrl: chain.wsUrl });
    const good = await checkChain(chainConfigSchema.parse({ ...input, maxBlockRange: 20 }), LIMITS);
    expect(good).toMatchObject({ ok: true, faults: [], webSocket: { works: true } });
    expect(good.endpoints).toMatchObject([
      { reachable: true, chainIdMatches: true, logRangeBlocks: 20, reachesStartBlock: true, faults: [] },
    ]);
    expect(good.endpoints[0]?.contracts.map(({ name, hasCode }) => [name, hasCode])).toEqual([
      ['identityRegistry', true],
      ['reputationRegistry', true],
      ['validationRegistry', true],
      ['eas', true],
    ]);
    const narrow = await startFaultyRpc({ target: chain.rpcUrl, faults: { maxLogRange: 6 } });
    endpoints.push(narrow);
    const bad = await checkChain(
      chainConfigSchema.parse({
        ...input,
        identityRegistry: `0x${'9'.repeat(40)}`,
        rpcUrls: [narrow.url, 'http://127.0.0.1:9/v2/secret'],
        wsUrl: 'ws://127.0.0.1:9/',
        startBlock: 1_000_000,
      }),
      LIMITS,
    );
    expect(bad.ok).toBe(false);
    expect(bad.endpoints[0]).toMatchObject({ reachable: true, logRangeBlocks: expect.any(Number) as number });
    expect(bad.endpoints[0]?.logRangeBlocks).toBeLessThanOrEqual(6);
    expect(bad.endpoints[0]?.faults.join()).toContain('identityRegistry');
    expect(bad.endpoints[1]).toMatchObject({ reachable: false });
    expect(bad.webSocket).toMatchObject({ works: false });
    expect(bad.faults.join()).toContain('startBlock');
    expect(JSON.stringify(bad)).not.toContain('secret');
    const stranger = await checkChain(chainConfigSchema.parse({ ...input, wsUrl: undefined, chainId: 5 }), LIMITS);
    expect(stranger.endpoints).toMatchObject([{ chainId: 31337, chainIdMatches: false }]);
    expect(stranger.ok).toBe(false);
  });

  it('announces heads again after its WebSocket was lost', async () => {
    const other = await startLocalChain();
    const port = Number(new URL(other.rpcUrl).port);
    const told: boolean[] = [];
    const config = chainConfigSchema.parse({
      ...registries.chainConfig(),
      wsUrl: other.wsUrl,
      pollIntervalMs: 600_000,
    });
    const source = createRegistrySource({
      chain: config,
      limits: { ...LIMITS, requestTimeoutMs: 5_000 },
      signals: { headsAnnounced: ({ connected }) => told.push(connected) },
    });
    sources.push(source);
    await until(() => told.at(-1) === true);
    await other.stop();
    await until(() => told.at(-1) === false);
    const restarted = await startLocalChain({ port });
    await until(() => told.at(-1) === true);
    const never = new AbortController().signal;
    await source.untilNewHead(never);
    const woken = source.untilNewHead(never);
    await restarted.mine();
    await woken;
    await restarted.stop();
  });

  it('reads a block with more logs of one event than an answer may have, from its receipts', async () => {
    await chain.setAutomine(false);
    for (let place = 0; place < 10; place += 1) {
      await registries.send(registries.calls.bulkRegister({ from: owner, count: 3, uri: `crowd${place}-{id}` }));
    }
    await chain.mine();
    await chain.setAutomine(true);
    const upTo = (await chain.head()).number;
    const crowded = async (source: RegistrySource, inHistory: boolean): Promise<unknown> => {
      const end = inHistory ? upTo + CONFIRMATIONS : upTo;
      return essence((await readAll(source, end)).filter(({ number }) => number === upTo));
    };
    const truth = await crowded(await sourceOn([{}]), false);
    expect(truth).toMatchObject([{ number: upTo }]);
    await chain.mine(CONFIRMATIONS);
    for (const inHistory of [false, true]) {
      for (const endpoint of endpoints.splice(0)) await endpoint.stop();
      const source = await sourceOn([{}], {}, { maxResponseBytes: 16_000 });
      expect(await crowded(source, inHistory)).toEqual(truth);
      expect(endpoints[0]?.counts().requests.get('eth_getTransactionReceipt')).toBeGreaterThanOrEqual(10);
    }
  });
});
