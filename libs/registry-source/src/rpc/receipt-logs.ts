import type { RegistrySourceLimits } from '../limits';
import { matches, type LogFilter } from '../logs/log-filter';
import type { RawLog } from '../logs/raw-log';
import type { Endpoint } from './endpoint';
import { bytesOf, ensureRoom } from './log-bytes';
import { pause } from './pause';
import { blockReceiptsQuery, blockTransactionsQuery, receiptQuery } from './queries';
import { isTooMuch, RpcFailure, toRpcFailure } from './rpc-failure';
import type { BlockTransactions, Receipt } from './shapes';

/** Tries of one batch of receipts in a row: a block of many is not begun again for one pause. */
const MAX_BATCH_TRIES = 5;

type Limits = Pick<
  RegistrySourceLimits,
  'maxReceiptsPerBlock' | 'maxLogBytes' | 'maxBatchCalls' | 'backOffBaseMs' | 'maxRoundWaitMs'
>;

/** Where a hash is given, another block with the number is none. */
interface AskedBlock {
  readonly number: number;
  readonly hash?: string | undefined;
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly number: number;
  readonly isWanted: (log: RawLog) => boolean;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/**
 * All logs of a block that fit the filter, by its receipts instead of `eth_getLogs`: those of the block, or where these are
 * unknown or too large, those of its transactions. Every transaction of the block is accounted for.
 * @throws RpcFailure that names the block; `refused` where the endpoint does not give receipts
 */
export async function readReceiptLogs(
  endpoint: Endpoint,
  { number, hash }: AskedBlock,
  filter: LogFilter,
  limits: Limits,
  signal: AbortSignal,
): Promise<RawLog[]> {
  const asked: Asked = { endpoint, number, isWanted: (log) => matches(filter, log), limits, signal };
  try {
    const block = await endpoint.call(blockTransactionsQuery(number), signal);
    if (block === undefined) throw new RpcFailure('refused', 'it is not there');
    if (hash !== undefined && block.hash !== hash) throw new RpcFailure('refused', 'another block has its number');
    return (await ofWholeBlock(asked, block)) ?? (await ofTransactions(asked, block));
  } catch (error) {
    const { kind, message, retryAfterMs } = toRpcFailure(error);
    throw new RpcFailure(kind, `receipts of block ${number}: ${message}`, { cause: error, retryAfterMs });
  }
}

/** Undefined where it takes the receipts of transactions. */
async function ofWholeBlock(asked: Asked, block: BlockTransactions): Promise<RawLog[] | undefined> {
  const { endpoint, number, isWanted, signal } = asked;
  let receipts: readonly Receipt[];
  try {
    receipts = await endpoint.call(blockReceiptsQuery(number, isWanted), signal);
  } catch (error) {
    const failure = toRpcFailure(error);
    if (failure.kind === 'refused' || isTooMuch(failure)) return undefined;
    throw failure;
  }
  const given = new Set(receipts.map(({ transactionHash }) => transactionHash));
  if (!block.transactions.every((hash) => given.has(hash))) return undefined;
  return receipts.flatMap((receipt) => logsIn(block, receipt));
}

async function ofTransactions(asked: Asked, block: BlockTransactions): Promise<RawLog[]> {
  const { isWanted, limits } = asked;
  const { transactions } = block;
  if (transactions.length > limits.maxReceiptsPerBlock) {
    const message = `${transactions.length} transactions, of which no more than ${limits.maxReceiptsPerBlock} are asked for`;
    throw new RpcFailure('limit', message);
  }
  const logs: RawLog[] = [];
  let bytes = 0;
  for (let from = 0; from < transactions.length; from += limits.maxBatchCalls) {
    const hashes = transactions.slice(from, from + limits.maxBatchCalls);
    const queries = hashes.map((hash) => receiptQuery(hash, isWanted));
    for (const receipt of await patiently(asked, () => asked.endpoint.all(queries, asked.signal))) {
      if (receipt === undefined) throw new RpcFailure('refused', 'there is none of a transaction');
      const wanted = logsIn(block, receipt);
      for (const log of wanted) logs.push(log);
      bytes += bytesOf(wanted);
    }
    ensureRoom(bytes, limits.maxLogBytes);
  }
  return logs;
}

function logsIn(block: BlockTransactions, { blockHash, logs }: Receipt): readonly RawLog[] {
  if (blockHash !== block.hash) throw new RpcFailure('refused', 'it changed while it was read');
  return logs;
}

/** What the endpoint gives, also when it wants a short pause first. */
async function patiently<T>({ limits, signal }: Asked, ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const failure = toRpcFailure(error);
      const waitMs = Math.max(failure.retryAfterMs ?? 0, limits.backOffBaseMs * 2 ** tries);
      if (failure.kind !== 'rate_limited' || tries >= MAX_BATCH_TRIES || waitMs > limits.maxRoundWaitMs) throw failure;
      await pause(waitMs, signal);
    }
  }
}
