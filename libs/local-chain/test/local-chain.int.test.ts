import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { startLocalChain, type DeployedRegistries, type LocalChain } from '../src';

let chain: LocalChain;
let registries: DeployedRegistries;

beforeAll(async () => {
  chain = await startLocalChain();
  registries = await chain.deployRegistries();
});

afterAll(() => chain?.stop());

const account = (place: number) => chain.accounts[place] ?? '0x';

describe('reorg', () => {
  it('replaces even empty blocks by other ones, of the same height', async () => {
    await chain.mine(3);
    const { number, hash } = await chain.head();
    const below = await chain.block(number - 2);
    await chain.reorg(2);

    const after = await chain.head();
    expect(after.number).toBe(number);
    expect(after.hash).not.toBe(hash);
    expect((await chain.block(number - 2))?.hash).toBe(below?.hash);
    expect((await chain.block(number - 1))?.parentHash).toBe(below?.hash);
  });

  it('drops what happened in the blocks, and puts back what it is given, in another block', async () => {
    const kept = await registries.register({ from: account(1), uri: 'kept' });
    await registries.register({ from: account(2), uri: 'dropped' });
    const transactions = await chain.transactionsOf(2);
    expect(transactions.map(({ block }) => block)).toEqual([0, 1]);
    await chain.reorg(2, [{ ...transactions[0], block: 1 } as (typeof transactions)[number]]);

    expect((await registries.agents()).map(({ uri }) => uri)).toEqual(['kept']);
    const logs = await registries.logs(kept.blockNumber);
    expect(new Set(logs.map(({ transactionHash }) => transactionHash))).toEqual(new Set([kept.transactionHash]));
    expect(logs[0]?.blockNumber).toBe(kept.blockNumber + 1);
    expect(logs[0]?.blockHash).not.toBe(kept.blockHash);
  });

  it('takes new calls for the replacing blocks', async () => {
    const before = await registries.agentCount();
    await chain.mine(2);
    await chain.reorg(2, [{ block: 0, transaction: registries.calls.register({ from: account(3), uri: 'new' }) }]);

    expect(await registries.agentCount()).toBe(before + 1n);
  });

  it('brings back the very same blocks', async () => {
    const fresh = await startLocalChain();
    try {
      const there = await fresh.deployRegistries();
      await there.register({ from: account(6), uri: 'ipfs://a' });
      await fresh.mine();
      const { hash } = await fresh.head();
      const transactions = await fresh.transactionsOf(2);
      await fresh.reorg(2);
      expect((await fresh.head()).hash).not.toBe(hash);
      await fresh.reorg(2, transactions, 0);

      expect((await fresh.head()).hash).toBe(hash);
    } finally {
      await fresh.stop();
    }
  });

  it('goes back to a snapshot', async () => {
    const before = await chain.head();
    const snapshot = await chain.snapshot();
    await registries.register({ from: account(7) });
    await chain.revert(snapshot);

    expect(await chain.head()).toEqual(before);
  });
});

it('mines on demand where automine is off, in the order in which calls were sent', async () => {
  await chain.setAutomine(false);
  const hashes = [];
  for (const place of [4, 5, 4])
    hashes.push(await registries.send(registries.calls.register({ from: account(place) })));
  await chain.mine();
  await chain.setAutomine(true);

  expect((await chain.head()).transactions).toEqual(hashes);
});

it('gives an entry for the file of chains', () => {
  expect(registries.chainConfig({ confirmations: 3, delivery: 'confirmed' })).toMatchObject({
    chainId: 31_337,
    rpcUrls: [chain.rpcUrl],
    identityRegistry: registries.identity,
    eas: registries.eas,
    startBlock: registries.deployedAt,
    confirmations: 3,
    delivery: 'confirmed',
  });
});

it('leaves no process when its parent is killed', async () => {
  const child = spawn(process.execPath, ['-e', PARENT], { cwd: __dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString('utf8'));
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');

  await until(() => !isAlive(pid));
});

/** A process with a chain, which it never stops. */
const PARENT = `
  const { transformFileSync } = require('@swc/core');
  const options = { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } };
  require.extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, options).code, file);
  require('../src/start-local-chain.ts').startLocalChain().then(({ pid }) => console.log(pid));
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(isMet: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; !isMet(); await turn()) {
    if (performance.now() > deadline) throw new Error('it did not come to that');
  }
}
