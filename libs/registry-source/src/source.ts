import type { BlockHeader, BlockRef, ChainBlock, ChainConfig } from '@sluice/agent-registry';
import type { RegistrySourceLimits } from './limits';
import type { RegistrySourceSignals } from './signals';

export interface RegistrySourceOptions {
  readonly chain: ChainConfig;
  readonly signals?: Partial<RegistrySourceSignals>;
  readonly limits?: Partial<RegistrySourceLimits>;
  /** How requests are made; the global `fetch` where absent. */
  readonly fetch?: typeof fetch;
}

/** Final blocks `[from, last.number]`, of which those without facts are left out. */
export interface HistoryRange {
  /**
   * In ascending order. The `parentHash` of blocks that lie far below the asked end is `UNKNOWN_PARENT_HASH` where the logs
   * alone told the block's time: nobody asked for its header.
   */
  readonly blocks: readonly ChainBlock[];
  /** The header of `from`: its parent is the cursor, unless the chain was reorganised below it. */
  readonly first: BlockHeader;
  /** The header of the last block that was read. */
  readonly last: BlockHeader;
}

export type NextBlocks =
  | {
      readonly kind: 'blocks';
      /** Linked by parent hashes, the first one to the cursor. Empty: there is nothing new, or the endpoints lag. */
      readonly blocks: readonly ChainBlock[];
    }
  | {
      readonly kind: 'reorg';
      /**
       * The newest block that can be gone back to and is still on the chain: a journaled one, or the parent of the oldest
       * journaled one. Undefined: none of them.
       */
      readonly ancestor: BlockRef | undefined;
    };

/** `parentHash` of a block of history whose header nobody asked for. */
export const UNKNOWN_PARENT_HASH = `0x${'0'.repeat(64)}`;

/**
 * What the registries of one chain say, as enough of its RPC endpoints agree. Nothing is guessed: what they do not agree on is
 * `chain_unavailable`, which may be tried again later.
 */
export interface RegistrySource {
  /** The newest block that enough endpoints have. @throws SluiceError `chain_unavailable` */
  head(): Promise<BlockHeader>;
  /** The agreed header; undefined when the chain is not that long. @throws SluiceError `chain_unavailable` */
  header(number: number): Promise<BlockHeader | undefined>;
  /**
   * The blocks with facts from `from` to at most `upTo`, as far as limits allow: go on at `last.number + 1`. Only for blocks
   * that are final. What follows is fetched ahead.
   * @throws SluiceError `chain_unavailable`
   */
  readHistory(from: number, upTo: number): Promise<HistoryRange>;
  /**
   * All blocks right after `cursor` up to `upTo`, also those without facts, at most `limit` of them; or that the cursor is no
   * longer on the chain. `journaled`, in ascending order, are the blocks that can be undone.
   * @throws SluiceError `chain_unavailable`
   */
  readNext(cursor: BlockRef, journaled: readonly BlockHeader[], upTo: number, limit: number): Promise<NextBlocks>;
  /** Resolves when a new head is announced, at the latest after the chain's `pollIntervalMs`; also on abort. Never throws. */
  untilNewHead(signal: AbortSignal): Promise<void>;
  /** Ends connections and requests under way, which fail with `chain_unavailable`. Idempotent. */
  close(): Promise<void>;
}
