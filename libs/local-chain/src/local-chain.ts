import type { DeployedRegistries } from './registries';
import type { Address, Hex } from './hex';

export interface LocalChainOptions {
  /** Default 31337. */
  readonly chainId?: number;
  /** 0, the default, is any free port. */
  readonly port?: number;
  /** Seconds between blocks; absent: a block for each transaction as soon as it is sent. */
  readonly blockTimeSeconds?: number;
  /** Unlocked accounts. Default 10. */
  readonly accounts?: number;
  /** How many blocks back the state of contracts can be asked for; absent: all the way. Many blocks are mined faster with it. */
  readonly keptStates?: number;
  /** Seconds since 1970 of block 0; default: now. Blocks that are mined quickly run ahead of the clock, a second each. */
  readonly genesisTimestamp?: number;
}

/** A block as the chain has it now. */
export interface MinedBlock {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly transactions: readonly Hex[];
}

/** A transaction that a replacing block has; `block` counts from 0, the lowest of the replaced ones. */
export interface ReorgTransaction {
  readonly block: number;
  /** A signed transaction in its raw form, or a call from an unlocked account. */
  readonly transaction: Hex | { readonly from: Address; readonly to: Address; readonly data: Hex; readonly gas?: Hex };
}

/** A chain of this machine (anvil): nobody else's, and gone when this process is. Blocks cost nothing. */
export interface LocalChain {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly chainId: number;
  readonly pid: number;
  /** Unlocked: the chain signs for them. */
  readonly accounts: readonly Address[];
  /** One JSON-RPC request. @throws RpcFault with the node's code, message and data. */
  rpc<Result>(method: string, params?: readonly unknown[]): Promise<Result>;
  head(): Promise<MinedBlock>;
  block(number: number): Promise<MinedBlock | undefined>;
  /** Mines blocks, with the transactions that wait in the first of them. */
  mine(blocks?: number): Promise<void>;
  /** False: transactions wait for `mine`. */
  setAutomine(on: boolean): Promise<void>;
  /** The transactions of the newest `depth` blocks, signed and raw, the lowest block first; to put some back by `reorg`. */
  transactionsOf(depth: number): Promise<readonly ReorgTransaction[]>;
  /**
   * Replaces the newest `depth` blocks by as many other ones, which have these transactions and no more. What cannot be put
   * into its block (a transaction whose sender has sent less by then) is left out without a word.
   * @param variant tells apart blocks that have the same transactions, and is another one each time where it is absent.
   * 0 is that of blocks that were mined before any reorganisation: with the same transactions they come back as they were.
   */
  reorg(depth: number, transactions?: readonly ReorgTransaction[], variant?: number): Promise<void>;
  /** @returns what `revert` takes: once, and not after a reorganisation */
  snapshot(): Promise<Hex>;
  revert(snapshot: Hex): Promise<void>;
  /** Puts contracts on the chain that log like the registries of agents, and the attestation service itself. */
  deployRegistries(): Promise<DeployedRegistries>;
  /** Idempotent. */
  stop(): Promise<void>;
}
