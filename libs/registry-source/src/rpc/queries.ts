import type { LogFilter } from '../logs/log-filter';
import { topicsParameter } from '../logs/log-filter';
import type { RawLog } from '../logs/raw-log';
import type { Query } from './endpoint';
import {
  blockTransactionsOf,
  headerOf,
  hexDataOf,
  invalid,
  logsOf,
  receiptOf,
  receiptsOf,
  type BlockTransactions,
  type Receipt,
  type RpcHeader,
} from './shapes';

export const hexOf = (number: number): string => `0x${number.toString(16)}`;

/** The header of a block; undefined where the endpoint has none. */
export function headerQuery(number: number): Query<RpcHeader | undefined> {
  return {
    method: 'eth_getBlockByNumber',
    params: [hexOf(number), false],
    parse: (result) => {
      const header = headerOf(result);
      if (header !== undefined && header.number !== number) throw invalid('the block that was asked for');
      return header;
    },
  };
}

/** The logs of a range. The answer is checked in form only. */
export function rangeLogsQuery(filter: LogFilter, from: number, to: number): Query<RawLog[]> {
  return {
    method: 'eth_getLogs',
    params: [
      { address: filter.addresses, topics: topicsParameter(filter), fromBlock: hexOf(from), toBlock: hexOf(to) },
    ],
    blocks: to - from + 1,
    parse: logsOf,
  };
}

/** The logs of one block, whatever the chain is by now. */
export function blockLogsQuery(filter: LogFilter, blockHash: string): Query<RawLog[]> {
  return {
    method: 'eth_getLogs',
    params: [{ address: filter.addresses, topics: topicsParameter(filter), blockHash }],
    blocks: 1,
    parse: logsOf,
  };
}

/** A block and its transactions; undefined where the endpoint has none. */
export function blockTransactionsQuery(number: number): Query<BlockTransactions | undefined> {
  return { method: 'eth_getBlockByNumber', params: [hexOf(number), false], parse: blockTransactionsOf };
}

/** The wanted logs of a block, by another way than `eth_getLogs`; not every endpoint knows it. */
export function blockReceiptsQuery(number: number, isWanted: (log: RawLog) => boolean): Query<readonly Receipt[]> {
  return {
    method: 'eth_getBlockReceipts',
    params: [hexOf(number)],
    parse: (result) => receiptsOf(result, isWanted),
  };
}

/** The wanted logs of one transaction; undefined where the endpoint has no receipt of it. */
export function receiptQuery(transaction: string, isWanted: (log: RawLog) => boolean): Query<Receipt | undefined> {
  return {
    method: 'eth_getTransactionReceipt',
    params: [transaction],
    parse: (result) => {
      const receipt = receiptOf(result, isWanted);
      if (receipt !== undefined && receipt.transactionHash !== transaction) throw invalid('what was asked for');
      return receipt;
    },
  };
}

export function callQuery(to: string, data: string, block: string): Query<string> {
  return {
    method: 'eth_call',
    params: [{ to, data }, block],
    parse: (result) => hexDataOf(result, 'the result of a call'),
  };
}
