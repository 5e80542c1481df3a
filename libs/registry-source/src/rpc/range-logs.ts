import { matches, type LogFilter } from '../logs/log-filter';
import { compareLogs, type RawLog } from '../logs/raw-log';
import type { RegistrySourceLimits } from '../limits';
import type { RegistrySourceSignals } from '../signals';
import type { Endpoint } from './endpoint';
import { rangeLogsQuery } from './queries';
import { RpcFailure, toRpcFailure } from './rpc-failure';
import { invalid } from './shapes';

export interface RangeLogs {
  readonly logs: RawLog[];
  /** Blocks of the smallest request that was needed. */
  readonly smallestRequest: number;
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly filter: LogFilter;
}

/**
 * All logs of a range at one endpoint, in the order of the chain: in as many requests as it wants.
 * @throws RpcFailure `limit` where these would be too many
 */
export async function readRangeLogs(
  endpoint: Endpoint,
  whole: Part,
  options: { readonly limits: RegistrySourceLimits; readonly signals: RegistrySourceSignals },
  signal: AbortSignal,
): Promise<RangeLogs> {
  const { maxSplitsPerRange } = options.limits;
  const learned = (): void => options.signals.rangeLearned({ endpoint: endpoint.label, blocks: endpoint.range.blocks });
  // The last one is next, so the parts come in ascending order.
  const parts: Part[] = [whole];
  const logs: RawLog[] = [];
  let smallestRequest = whole.to - whole.from + 1;
  for (let requests = 0; ;) {
    const part = parts.pop();
    if (part === undefined) return { logs: checked(logs, whole), smallestRequest };
    const blocks = part.to - part.from + 1;
    if (blocks > endpoint.range.blocks) {
      const end = part.from + endpoint.range.blocks - 1;
      parts.push({ ...part, from: end + 1 }, { ...part, to: end });
      if (Math.ceil(blocks / endpoint.range.blocks) + requests > maxSplitsPerRange) throw tooMany(maxSplitsPerRange);
      continue;
    }
    requests += 1;
    if (requests > maxSplitsPerRange) throw tooMany(maxSplitsPerRange);
    try {
      const given = await endpoint.call(rangeLogsQuery(part.filter, part.from, part.to), signal);
      for (const log of given) logs.push(log);
      smallestRequest = Math.min(smallestRequest, blocks);
      if (endpoint.range.answered(blocks)) learned();
    } catch (error) {
      const failure = toRpcFailure(error);
      const halves = failure.kind === 'limit' || failure.kind === 'too_large' ? halvesOf(part) : undefined;
      if (halves === undefined) throw failure;
      if (failure.maxBlocks !== undefined && endpoint.range.refused(blocks, failure.maxBlocks)) learned();
      parts.push(...halves);
    }
  }
}

function tooMany(most: number): RpcFailure {
  return new RpcFailure('limit', `the range needs more than ${most} requests`);
}

/** The second half before the first; a single block is halved by what it is asked for. */
function halvesOf({ from, to, filter }: Part): readonly Part[] | undefined {
  if (to > from) {
    const middle = Math.floor((from + to) / 2);
    return [
      { from: middle + 1, to, filter },
      { from, to: middle, filter },
    ];
  }
  const { topics } = filter;
  if (topics.length < 2) return undefined;
  const half = Math.ceil(topics.length / 2);
  return [topics.slice(half), topics.slice(0, half)].map((some) => ({ from, to, filter: { ...filter, topics: some } }));
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
