import { startFaultyRpc, startLocalChain, type DeployedRegistries, type FaultyRpc, type LocalChain } from '../src';
import { requestJsonRpc, type RpcFault } from '../src/json-rpc';

let chain: LocalChain;
let registries: DeployedRegistries;
let rpc: FaultyRpc;

beforeAll(async () => {
  chain = await startLocalChain();
  registries = await chain.deployRegistries();
  for (let turn = 0; turn < 5; turn++) await registries.register({ from: chain.accounts[1] ?? '0x', uri: 'ipfs://a' });
  rpc = await startFaultyRpc({ target: chain.rpcUrl });
});

afterAll(async () => {
  await rpc?.stop();
  await chain?.stop();
});

beforeEach(() => rpc.setFaults({}));

const ask = <Result>(method: string, ...params: unknown[]) => requestJsonRpc<Result>(rpc.url, method, params);
const logsOf = (url: string, filter: object) => requestJsonRpc<readonly unknown[]>(url, 'eth_getLogs', [filter]);
const everything = () => ({ address: registries.identity, fromBlock: '0x0', toBlock: 'latest' });
const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: RpcFault) => error,
  );

describe('a faulty endpoint', () => {
  it('answers as the honest one does without faults, in batches too', async () => {
    expect(await logsOf(rpc.url, everything())).toEqual(await logsOf(chain.rpcUrl, everything()));
    const body = [1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'eth_chainId', params: [] }));
    const response = await fetch(rpc.url, { method: 'POST', body: JSON.stringify(body) });
    expect(await response.json()).toMatchObject([
      { id: 1, result: '0x7a69' },
      { id: 2, result: '0x7a69' },
    ]);
  });

  it('fails in the way and as often as it is told to', async () => {
    rpc.setFaults({ errorShare: 0.5 });
    let failed = 0;
    for (let turn = 0; turn < 60; turn++) failed += (await faultOf(ask('eth_chainId'))) === undefined ? 0 : 1;
    expect(failed).toBeGreaterThan(10);
    expect(failed).toBeLessThan(50);
    expect(rpc.counts().faults.get('error')).toBe(failed);

    for (const faults of [{ down: true }, { rateLimitShare: 1 }, { garbageShare: 1 }, { errorShare: 1 }]) {
      rpc.setFaults(faults);
      expect((await faultOf(ask('eth_chainId')))?.message).toEqual(expect.any(String));
    }
    rpc.setFaults({});
    expect(await ask('eth_chainId')).toBe('0x7a69');
  });

  it('leaves requests without an answer', async () => {
    rpc.setFaults({ timeoutShare: 1 });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
    const request = fetch(rpc.url, { method: 'POST', body, signal: AbortSignal.timeout(200) });

    await expect(request).rejects.toThrow(/abort|timeout/i);
  });

  it.each([
    ['range', /limited to a 2 range/],
    ['too_wide', /too wide/],
    ['results', /more than 10000 results/],
    ['response_size', /block range should work: \[0x0, 0x1\]/],
  ] as const)('refuses a range that is too large in the words of providers: %s', async (limitWording, words) => {
    rpc.setFaults({ maxLogRange: 2, limitWording });
    const tooLarge = { ...everything(), toBlock: '0x3' };

    expect((await faultOf(logsOf(rpc.url, tooLarge)))?.message).toMatch(words);
    expect(await logsOf(rpc.url, { ...everything(), toBlock: '0x1' })).toEqual([]);
  });

  it('refuses too many logs, also by HTTP', async () => {
    rpc.setFaults({ maxLogs: 3, limitWording: 'http_413' });
    const { status } = await fetch(rpc.url, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [everything()] }),
    });

    expect(status).toBe(413);
  });

  it('lags: newer blocks, their logs and their state are not there yet', async () => {
    const head = await chain.head();
    const visible = `0x${(head.number - 2).toString(16)}`;
    rpc.setFaults({ lagBlocks: 2 });

    expect(await ask('eth_blockNumber')).toBe(visible);
    expect(await ask('eth_getBlockByNumber', 'latest', false)).toMatchObject({ number: visible });
    expect(await ask('eth_getBlockByNumber', `0x${head.number.toString(16)}`, false)).toBeNull();
    expect(await ask('eth_getBlockByHash', head.hash, false)).toBeNull();
    expect(await faultOf(logsOf(rpc.url, { blockHash: head.hash }))).toMatchObject({ message: /unknown block/ });
    const seen = await logsOf(rpc.url, everything());
    expect(seen).toEqual(await logsOf(chain.rpcUrl, { ...everything(), toBlock: visible }));
    expect(seen.length).toBeGreaterThan(0);
  });

  it('lies: leaves out a log, alters one, or gives a block another hash', async () => {
    const honest = await logsOf(chain.rpcUrl, everything());
    rpc.setFaults({ omitLogShare: 1 });
    expect(await logsOf(rpc.url, everything())).toHaveLength(honest.length - 1);
    rpc.setFaults({ alterLogShare: 1 });
    const altered = await logsOf(rpc.url, everything());
    expect(altered).toHaveLength(honest.length);
    expect(altered).not.toEqual(honest);
    rpc.setFaults({ alterBlockShare: 1 });
    const { number, hash } = await chain.head();
    const block = await ask<{ hash: string }>('eth_getBlockByNumber', `0x${number.toString(16)}`, false);
    expect(block.hash).not.toBe(hash);
  });
});
