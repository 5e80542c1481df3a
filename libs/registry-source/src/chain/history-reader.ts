import { setMaxListeners } from 'node:events';
import type { BlockHeader, ChainBlock, ChainConfig } from '@sluice/agent-registry';
import { SluiceError, toSluiceError } from '@sluice/event-log';
import type { RegistrySourceLimits } from '../limits';
import { digestOfLogs } from '../logs/digest';
import { logFiltersOf, type LogFilter } from '../logs/log-filter';
import { compareLogs, type RawLog } from '../logs/raw-log';
import { majority, type Agreement } from '../rpc/agreement';
import type { Endpoint } from '../rpc/endpoint';
import type { RpcPool } from '../rpc/pool';
import { readRangeLogs } from '../rpc/range-logs';
import { RpcFailure } from '../rpc/rpc-failure';
import type { RegistrySourceSignals } from '../signals';
import { UNKNOWN_PARENT_HASH, type HistoryRange } from '../source';
import type { BlockFacts, FactsOfLogs } from './facts-of-logs';
import { agreedHeaders, askHeaders, digestOfHeader, plainHeader } from './header-reader';
import { RangeSize } from './range-size';

interface RangeAnswer {
  readonly logs: readonly RawLog[];
  readonly first: BlockHeader;
  readonly last: BlockHeader;
  readonly smallestRequest: number;
}

interface Prefetched {
  readonly from: number;
  readonly to: number;
  readonly given: Promise<HistoryRange>;
  cancel(): void;
}

export interface HistoryReaderOptions {
  readonly chain: ChainConfig;
  readonly pool: RpcPool;
  readonly facts: FactsOfLogs;
  readonly limits: RegistrySourceLimits;
  readonly signals: RegistrySourceSignals;
}

/** Blocks below the asked end that may still get a journal: these are given with their parents. */
const MIN_JOURNAL_WINDOW = 64;
const JOURNAL_WINDOW_FACTOR = 4;

/** Tries of a range within one call, each with half of the blocks. */
const MAX_TRIES = 3;

/** Reads final blocks by ranges, the next ones while one is worked off. */
export class HistoryReader {
  private readonly filters: readonly LogFilter[];
  private readonly size: RangeSize;
  private readonly journalWindow: number;
  private ahead: Prefetched[] = [];
  private closed = false;

  constructor(private readonly options: HistoryReaderOptions) {
    const { chain, limits } = options;
    this.filters = logFiltersOf(chain);
    this.size = new RangeSize(chain.maxBlockRange, limits.maxLogsPerRange);
    this.journalWindow = Math.max(MIN_JOURNAL_WINDOW, JOURNAL_WINDOW_FACTOR * chain.confirmations);
  }

  async read(from: number, upTo: number): Promise<HistoryRange> {
    if (from > upTo) throw new SluiceError('internal', `there are no blocks from ${from} to ${upTo}`);
    const range = this.take(from, upTo) ?? this.start(from, upTo);
    this.prefetch(range.to + 1, upTo);
    return range.given;
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  private take(from: number, upTo: number): Prefetched | undefined {
    const next = this.ahead.shift();
    if (next !== undefined && next.from === from && next.to <= upTo) return next;
    next?.cancel();
    this.drop();
    return undefined;
  }

  private drop(): void {
    for (const range of this.ahead) range.cancel();
    this.ahead = [];
  }

  private prefetch(from: number, upTo: number): void {
    for (let next = this.ahead.at(-1)?.to ?? from - 1; ; next = this.ahead.at(-1)?.to ?? next) {
      if (this.closed || this.ahead.length >= this.options.limits.prefetchedRanges || next >= upTo) return;
      this.ahead.push(this.start(next + 1, upTo));
    }
  }

  private start(from: number, upTo: number): Prefetched {
    const to = Math.min(upTo, from + this.size.next(this.options.pool.blocksPerRequest) - 1);
    const cancelled = new AbortController();
    setMaxListeners(0, cancelled.signal);
    const given = this.fetch(from, to, upTo, cancelled.signal);
    // Whoever takes the range hears of it.
    given.catch(() => undefined);
    return { from, to, given, cancel: () => cancelled.abort() };
  }

  /** The range, or less of it where not all of it can be had at once. */
  private async fetch(from: number, to: number, upTo: number, signal: AbortSignal): Promise<HistoryRange> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.fetchOnce(from, to, upTo, signal);
      } catch (error) {
        if (signal.aborted || this.closed || !mayHelpToAskForLess(error)) throw toSluiceError(error);
        this.size.failed(to - from + 1);
        if (tries >= MAX_TRIES || to === from) throw toSluiceError(error);
        to = from + Math.floor((to - from) / 2);
      }
    }
  }

  private async fetchOnce(from: number, to: number, upTo: number, signal: AbortSignal): Promise<HistoryRange> {
    const { pool, facts, signals } = this.options;
    const startedAt = performance.now();
    const agreement = await pool.ask(
      {
        about: `logs of blocks ${from} to ${to}`,
        ask: (endpoint, asked) => this.askRange(endpoint, from, to, asked),
        decide: (answers) => majority(answers, pool.needed, digestOfRange),
        reaches: to,
        rank: ({ range }) => Math.min(range.value, to - from + 1),
        isSettled: true,
      },
      signal,
    );
    const { logs, first, last, smallestRequest } = agreement.value;
    const blocks = to - from + 1;
    this.size.read(blocks, logs.length, smallestRequest);
    const found = await facts.blocksOf(logs, true, signal);
    const complete = await this.withHeaders(found, agreement, upTo, signal);
    signals.rangeRead({ blocks, logs: logs.length, durationMs: performance.now() - startedAt });
    return { blocks: complete, first, last };
  }

  private async askRange(endpoint: Endpoint, from: number, to: number, signal: AbortSignal): Promise<RangeAnswer> {
    // The headers first: what has the last block has its logs.
    const [first, last] = await askHeaders(endpoint, from === to ? [from, from] : [from, to], signal);
    if (first === undefined || last === undefined) throw new RpcFailure('refused', `block ${to} is not there yet`);
    const ranges = await Promise.all(
      this.filters.map((filter) => readRangeLogs(endpoint, { from, to, filter }, this.options, signal)),
    );
    const logs =
      ranges.length === 1 ? (ranges[0]?.logs ?? []) : ranges.flatMap((range) => range.logs).sort(compareLogs);
    const smallestRequest = Math.min(...ranges.map((range) => range.smallestRequest));
    return { logs, first: plainHeader(first), last: plainHeader(last), smallestRequest };
  }

  /** Times and parents: out of the logs where that will do, else of headers. */
  private async withHeaders(
    found: readonly BlockFacts[],
    agreement: Agreement<RangeAnswer>,
    upTo: number,
    signal: AbortSignal,
  ): Promise<readonly ChainBlock[]> {
    const { first, last } = agreement.value;
    const known = new Map<number, BlockHeader>([
      [first.number, first],
      [last.number, last],
    ]);
    const journaledFrom = upTo - this.journalWindow;
    const timesAgree = haveAlikeTimes(agreement);
    const asked = found
      .filter(({ blockNumber, timestamp }) => !timesAgree || timestamp === undefined || blockNumber > journaledFrom)
      .map(({ blockNumber }) => blockNumber)
      .filter((number) => !known.has(number));
    if (asked.length > 0) {
      const headers = await agreedHeaders(this.options.pool, asked, { isSettled: true, reaches: last.number, signal });
      for (const header of headers) if (header !== undefined) known.set(header.number, plainHeader(header));
    }
    return found.map(({ blockNumber, blockHash, timestamp, facts }) => {
      const header = known.get(blockNumber);
      if (header === undefined) {
        return {
          number: blockNumber,
          hash: blockHash,
          parentHash: UNKNOWN_PARENT_HASH,
          timestamp: timestamp ?? 0,
          facts,
        };
      }
      if (header.hash !== blockHash) {
        throw new SluiceError('chain_unavailable', `Block ${blockNumber} changed while it was read`);
      }
      return { ...header, facts };
    });
  }
}

/** Endpoints that are away, or have too much to do, would only get more requests of it. */
function mayHelpToAskForLess(error: unknown): boolean {
  const cause = error instanceof SluiceError ? error.cause : undefined;
  return !(cause instanceof RpcFailure && (cause.kind === 'unavailable' || cause.kind === 'rate_limited'));
}

const digests = new WeakMap<readonly RawLog[], string>();

function digestOfRange({ logs, first, last }: RangeAnswer): string {
  // Taken again with each further answer.
  const digest = digests.get(logs) ?? digestOfLogs(logs);
  digests.set(logs, digest);
  return `${digestOfHeader(first)}\n${digestOfHeader(last)}\n${digest}`;
}

/** Whether all who agreed on the logs tell the same times of them. */
function haveAlikeTimes({ value, agreeing }: Agreement<RangeAnswer>): boolean {
  return agreeing.every(({ value: { logs } }) =>
    logs.every(({ blockTimestamp }, place) => blockTimestamp === value.logs[place]?.blockTimestamp),
  );
}
