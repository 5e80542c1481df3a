import { matches, type LogFilter } from '../logs/log-filter';
import { compareLogs, type RawLog } from '../logs/raw-log';
import type { RegistrySourceLimits } from '../limits';
import type { RegistrySourceSignals } from '../signals';
import type { Endpoint } from './endpoint';
import { bytesOf, ensureRoom } from './log-bytes';
import { blockLogsQuery, rangeLogsQuery } from './queries';
import { readReceiptLogs } from './receipt-logs';
import { isTooMuch, RpcFailure, toRpcFailure } from './rpc-failure';
import { invalid } from './shapes';

export interface RangeLogs {
  readonly logs: RawLog[];
  /** Blocks of the smallest request that was needed. */
  readonly smallestRequest: number;
  /** A block of it had too many logs of one event for `eth_getLogs`. */
  readonly usedReceipts: boolean;
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly filter: LogFilter;
}

/** `blockHash`: a single block, and no other one with its number. */
interface Whole extends Part {
  readonly blockHash?: string;
}

/**
 * All logs of a range at one endpoint, in the order of the chain: in as many requests as it wants. A block that has too many
 * logs of one event at one address for one answer is read from its receipts.
 * @throws RpcFailure `limit` where these would be too many, or the logs too large
 */
export async function readRangeLogs(
  endpoint: Endpoint,
  whole: Whole,
  options: { readonly limits: RegistrySourceLimits; readonly signals: RegistrySourceSignals },
  signal: AbortSignal,
): Promise<RangeLogs> {
  const { maxSplitsPerRange, maxLogBytes } = options.limits;
  const learned = (): void => options.signals.rangeLearned({ endpoint: endpoint.label, blocks: endpoint.range.value });
  // The last one is next, so the parts come in ascending order.
  let parts: Part[] = [whole];
  let logs: RawLog[] = [];
  let bytes = 0;
  let usedReceipts = false;
  const take = (given: readonly RawLog[]): void => {
    for (const log of given) logs.push(log);
    bytes += bytesOf(given);
    ensureRoom(bytes, maxLogBytes);
  };
  /** All of a block, so that its receipts are read once, whatever else of it is too much. */
  const takeReceipts = async (number: number): Promise<void> => {
    usedReceipts = true;
    parts = parts.filter(({ from, to }) => from !== number || to !== number);
    logs = logs.filter(({ blockNumber }) => blockNumber !== number);
    bytes = bytesOf(logs);
    take(await readReceiptLogs(endpoint, { number, hash: whole.blockHash }, whole.filter, options.limits, signal));
  };
  let smallestRequest = whole.to - whole.from + 1;
  for (let requests = 0; ;) {
    const part = parts.pop();
    if (part === undefined) return { logs: checked(logs, whole), smallestRequest, usedReceipts };
    const blocks = part.to - part.from + 1;
    const range = endpoint.range.value;
    if (blocks > range) {
      const end = part.from + range - 1;
      parts.push({ ...part, from: end + 1 }, { ...part, to: end });
      if (Math.ceil(blocks / range) + requests > maxSplitsPerRange) throw tooMany(maxSplitsPerRange);
      continue;
    }
    requests += 1;
    if (requests > maxSplitsPerRange) {
      if (whole.from < whole.to) throw tooMany(maxSplitsPerRange);
      await takeReceipts(whole.from);
      continue;
    }
    smallestRequest = Math.min(smallestRequest, blocks);
    let given: readonly RawLog[];
    try {
      const query =
        whole.blockHash === undefined
          ? rangeLogsQuery(part.filter, part.from, part.to)
          : blockLogsQuery(part.filter, whole.blockHash);
      given = await endpoint.call(query, signal);
      if (endpoint.range.answered(blocks)) learned();
    } catch (error) {
      const failure = toRpcFailure(error);
      if (!isTooMuch(failure)) throw failure;
      if (blocks > 1 && failure.maxBlocks !== undefined && endpoint.range.refused(blocks, failure.maxBlocks)) learned();
      const halves = halvesOf(part);
      if (halves === undefined) await takeReceipts(part.from);
      else parts.push(...halves);
      continue;
    }
    take(given);
  }
}

function tooMany(most: number): RpcFailure {
  return new RpcFailure('limit', `the range needs more than ${most} requests`);
}

/** The second half before the first. A single block is halved by the events, then by the addresses, it is asked for. */
function halvesOf({ from, to, filter }: Part): readonly Part[] | undefined {
  if (to > from) {
    const middle = Math.floor((from + to) / 2);
    return [
      { from: middle + 1, to, filter },
      { from, to: middle, filter },
    ];
  }
  const { topics, addresses } = filter;
  if (topics.length > 1) return halved(topics).map((some) => ({ from, to, filter: { ...filter, topics: some } }));
  if (addresses.length > 1)
    return halved(addresses).map((some) => ({ from, to, filter: { ...filter, addresses: some } }));
  return undefined;
}

function halved(all: readonly string[]): readonly (readonly string[])[] {
  const half = Math.ceil(all.length / 2);
  return [all.slice(half), all.slice(0, half)];
}

/** The logs in order, if they are what was asked for. @throws RpcFailure `invalid` */
function checked(logs: RawLog[], { from, to, filter }: Part): RawLog[] {
  logs.sort(compareLogs);
  let before: RawLog | undefined;
  for (const log of logs) {
    if (log.blockNumber < from || log.blockNumber > to || !matches(filter, log)) throw invalid('what was asked for');
    if (before?.blockNumber === log.blockNumber) {
      if (before.logIndex === log.logIndex) throw invalid('free of doubled logs');
      if (before.blockHash !== log.blockHash) throw invalid('of one chain');
    }
    before = log;
  }
  return logs;
}
