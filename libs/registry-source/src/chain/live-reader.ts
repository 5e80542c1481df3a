import type { BlockHeader, BlockRef, ChainBlock, ChainConfig } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import type { RegistrySourceLimits } from '../limits';
import { digestOfLogs } from '../logs/digest';
import { logFiltersOf } from '../logs/log-filter';
import { majority } from '../rpc/agreement';
import type { RpcPool } from '../rpc/pool';
import type { RpcHeader } from '../rpc/shapes';
import type { RegistrySourceSignals } from '../signals';
import type { NextBlocks } from '../source';
import { findAncestor } from './ancestor';
import { BlockLogsReader } from './block-logs';
import type { FactsOfLogs } from './facts-of-logs';
import { plainHeader } from './header-reader';
import { readLinkedHeaders } from './linked-headers';

export interface LiveReaderOptions {
  readonly chain: ChainConfig;
  readonly pool: RpcPool;
  readonly facts: FactsOfLogs;
  readonly limits: RegistrySourceLimits;
  readonly signals: RegistrySourceSignals;
}

const NOTHING_NEW: NextBlocks = { kind: 'blocks', blocks: [] };

/** Reads block by block near the head, where the chain may still change its mind. */
export class LiveReader {
  private readonly blockLogs: BlockLogsReader;
  /** Blocks that are read at once: fewer after a failure, more again after each success. */
  private blocksAtOnce: number;

  constructor(private readonly options: LiveReaderOptions) {
    const { chain, limits, signals, pool } = options;
    this.blocksAtOnce = limits.maxLiveBlocks;
    this.blockLogs = new BlockLogsReader({
      filters: logFiltersOf(chain),
      limits,
      signals,
      checksBlooms: pool.needed === 1,
    });
  }

  async readNext(
    cursor: BlockRef,
    journaled: readonly BlockHeader[],
    upTo: number,
    limit: number,
  ): Promise<NextBlocks> {
    const { pool } = this.options;
    // The chain seems to be shorter. That alone is no reorganisation: endpoints may lag.
    if (upTo < cursor.number) return this.orReorg(journaled, upTo);
    const count = Math.max(0, Math.min(limit, this.blocksAtOnce, upTo - cursor.number));
    const [atCursor, ...next] = await readLinkedHeaders(pool, cursor, count);
    if (atCursor === undefined) return NOTHING_NEW;
    if (atCursor.hash !== cursor.hash) {
      const { ancestor } = await findAncestor(pool, journaled, cursor.number);
      return { kind: 'reorg', ancestor };
    }
    return next.length === 0 ? NOTHING_NEW : { kind: 'blocks', blocks: await this.read(next) };
  }

  private async orReorg(journaled: readonly BlockHeader[], head: number): Promise<NextBlocks> {
    const { ancestor, hasVanished } = await findAncestor(this.options.pool, journaled, head);
    return hasVanished === true ? { kind: 'reorg', ancestor } : NOTHING_NEW;
  }

  /** Together they may be more than an endpoint, or our memory, takes: the next try is for half of them. */
  private async read(headers: readonly RpcHeader[]): Promise<readonly ChainBlock[]> {
    try {
      const blocks = await this.blocksOf(headers);
      this.blocksAtOnce = Math.min(this.options.limits.maxLiveBlocks, 2 * this.blocksAtOnce);
      return blocks;
    } catch (error) {
      this.blocksAtOnce = Math.max(1, Math.floor(headers.length / 2));
      throw error;
    }
  }

  private async blocksOf(headers: readonly RpcHeader[]): Promise<readonly ChainBlock[]> {
    const { pool, facts } = this.options;
    const last = headers.at(-1);
    const { value: logs } = await pool.ask({
      about: `logs of blocks ${headers[0]?.number ?? 0} to ${last?.number ?? 0}`,
      ask: (endpoint, signal) => this.blockLogs.read(endpoint, headers, signal),
      decide: (answers) => majority(answers, pool.needed, digestOfLogs),
      isSettled: true,
      ...(last === undefined ? {} : { reaches: last.number }),
    });
    const found = new Map((await facts.blocksOf(logs, false)).map((block) => [block.blockNumber, block]));
    return headers.map((header) => {
      const block = found.get(header.number);
      if (block !== undefined && block.blockHash !== header.hash) {
        throw new SluiceError('chain_unavailable', `Block ${header.number} changed while it was read`);
      }
      return { ...plainHeader(header), facts: block?.facts ?? [] };
    });
  }
}
