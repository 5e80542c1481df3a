import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startAnvilProcess, type AnvilProcess } from './anvil-process';
import { deployRegistries } from './deploy-registries';
import { GAS } from './gas';
import type { Address, Hex } from './hex';
import { requestJsonRpc } from './json-rpc';
import { LocalChainError } from './local-chain-error';
import type { LocalChain, LocalChainOptions, MinedBlock, ReorgTransaction } from './local-chain';

const DEFAULT_CHAIN_ID = 31_337;
const DEFAULT_ACCOUNTS = 10;
const START_TIMEOUT_MS = 30_000;
const READY_INTERVAL_MS = 20;

interface RawBlock {
  readonly number: Hex;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: Hex;
  readonly transactions: readonly Hex[];
}

/**
 * Starts a chain on the loopback. It and its files are gone when this process ends, in whatever way.
 * @throws LocalChainError where it cannot be started
 */
export async function startLocalChain(options: LocalChainOptions = {}): Promise<LocalChain> {
  const chainId = options.chainId ?? DEFAULT_CHAIN_ID;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-local-chain-'));
  const node = await startAnvilProcess(options.port ?? 0, folder, argsOf(chainId, options));
  const stop = async () => {
    await node.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const rpcUrl = `http://127.0.0.1:${node.port}`;
  try {
    await untilReady(node, rpcUrl);
    const accounts = await requestJsonRpc<readonly Address[]>(rpcUrl, 'eth_accounts', []);
    return chainOf({ chainId, pid: node.pid, rpcUrl, wsUrl: `ws://127.0.0.1:${node.port}`, accounts, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

function argsOf(chainId: number, options: LocalChainOptions): readonly string[] {
  const { blockTimeSeconds, keptStates, genesisTimestamp } = options;
  return [
    ['--chain-id', String(chainId)],
    ['--accounts', String(options.accounts ?? DEFAULT_ACCOUNTS)],
    // The oldest rules that the contracts of all packages run under, and blocks of any size at no price.
    ['--hardfork', 'prague', '--base-fee', '0', '--gas-price', '0', '--no-priority-fee', '--disable-block-gas-limit'],
    ['--order', 'fifo', '--no-request-size-limit', '--quiet'],
    blockTimeSeconds === undefined ? [] : ['--block-time', String(blockTimeSeconds)],
    keptStates === undefined ? [] : ['--prune-history', String(keptStates)],
    genesisTimestamp === undefined ? [] : ['--timestamp', String(genesisTimestamp)],
  ].flat();
}

async function untilReady(node: AnvilProcess, rpcUrl: string): Promise<void> {
  for (const deadline = performance.now() + START_TIMEOUT_MS; ;) {
    if (node.hasExited()) throw new LocalChainError(`anvil ended at once: ${node.lastLines()}`);
    try {
      await requestJsonRpc(rpcUrl, 'eth_chainId', []);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw new LocalChainError('anvil does not answer', { cause: error });
      await pause(READY_INTERVAL_MS);
    }
  }
}

type ChainBasics = Pick<LocalChain, 'chainId' | 'pid' | 'rpcUrl' | 'wsUrl' | 'accounts' | 'stop'>;

function chainOf(basics: ChainBasics): LocalChain {
  const rpc = <Result>(method: string, params: readonly unknown[] = []) =>
    requestJsonRpc<Result>(basics.rpcUrl, method, params);
  const blockAt = async (at: string) => {
    const block = await rpc<RawBlock | null>('eth_getBlockByNumber', [at, false]);
    return block === null ? undefined : minedBlockOf(block);
  };
  const head = async () => {
    const block = await blockAt('latest');
    if (block === undefined) throw new LocalChainError('The chain has no blocks');
    return block;
  };
  let newestVariant = 0;
  const chain: LocalChain = {
    ...basics,
    rpc,
    head,
    block: (number) => blockAt(hexOf(number)),
    mine: async (blocks = 1) => {
      for (let mined = 0; mined < blocks; mined++) await rpc('evm_mine');
    },
    setAutomine: (on) => rpc('evm_setAutomine', [on]),
    transactionsOf: async (depth) => {
      const { number } = await head();
      const lowest = number - depth + 1;
      const found: ReorgTransaction[] = [];
      for (let block = 0; block < depth; block++) {
        for (const hash of (await blockAt(hexOf(lowest + block)))?.transactions ?? []) {
          found.push({ block, transaction: await rpc<Hex>('eth_getRawTransactionByHash', [hash]) });
        }
      }
      return found;
    },
    reorg: async (depth, transactions = [], variant = ++newestVariant) => {
      await rpc('anvil_setCoinbase', [`0x${variant.toString(16).padStart(40, '0')}`]);
      const pairs = transactions.map(({ block, transaction }) => [
        typeof transaction === 'string' ? transaction : { ...GAS, ...transaction },
        block,
      ]);
      await rpc('anvil_reorg', [depth, pairs]);
    },
    snapshot: () => rpc<Hex>('evm_snapshot'),
    revert: async (snapshot) => {
      if (!(await rpc<boolean>('evm_revert', [snapshot])))
        throw new LocalChainError(`There is no snapshot ${snapshot}`);
    },
    deployRegistries: () => deployRegistries(chain),
  };
  return chain;
}

export const hexOf = (number: number): Hex => `0x${number.toString(16)}`;

function minedBlockOf({ number, hash, parentHash, timestamp, transactions }: RawBlock): MinedBlock {
  return { number: Number(number), hash, parentHash, timestamp: Number(timestamp), transactions };
}
