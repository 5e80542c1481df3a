import type { BlockHeader } from '@sluice/agent-registry';
import type { RawLog } from '../logs/raw-log';
import { RpcFailure } from './rpc-failure';

/** A header with the filter of its logs. */
export interface RpcHeader extends BlockHeader {
  /** 256 bytes as 0x and digits; undefined where the endpoint gives none. */
  readonly logsBloom: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const QUANTITY = /^0x[0-9a-f]{1,13}$/i;
const OTHER_THAN_DIGITS = /[^0-9a-f]/;
const BLOOM_LENGTH = 514;
const MAX_TOPICS = 4;

export function invalid(what: string): RpcFailure {
  return new RpcFailure('invalid', `the answer is not ${what}`);
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(what);
  return value as Fields;
}

function isQuantity(value: unknown): boolean {
  return typeof value === 'string' && QUANTITY.test(value);
}

/** A number that JSON holds exactly: 0x and up to 13 digits. */
export function quantityOf(value: unknown, what: string): number {
  if (typeof value !== 'string' || !QUANTITY.test(value)) throw invalid(what);
  const number = Number.parseInt(value.slice(2), 16);
  if (!Number.isSafeInteger(number)) throw invalid(what);
  return number;
}

function matching(value: unknown, pattern: RegExp, what: string): string {
  if (typeof value !== 'string') throw invalid(what);
  if (pattern.test(value)) return value;
  const lower = value.toLowerCase();
  if (!pattern.test(lower)) throw invalid(what);
  return lower;
}

/** For what is often the same as the time before: that is not looked at again, and its first copy serves all. */
function repeatedly(pattern: RegExp, what: string): (value: unknown) => string {
  let last: string | undefined;
  return (value) => {
    if (typeof value === 'string' && value === last) return last;
    last = matching(value, pattern, what);
    return last;
  };
}

const addressOfLog = repeatedly(ADDRESS, "a log's address");
const blockHashOfLog = repeatedly(HASH, "a log's block hash");
const transactionOfLog = repeatedly(HASH, "a log's transaction");
const firstTopic = repeatedly(HASH, 'a topic');

/** 0x and an even number of digits, in lower case. */
export function hexDataOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || !/^0x/i.test(value) || value.length % 2 !== 0) throw invalid(what);
  if (!OTHER_THAN_DIGITS.test(value.slice(2))) return value;
  const lower = value.toLowerCase();
  if (OTHER_THAN_DIGITS.test(lower.slice(2))) throw invalid(what);
  return lower;
}

/** The header of a block, or undefined for null. @throws RpcFailure `invalid` */
export function headerOf(value: unknown): RpcHeader | undefined {
  if (value === null) return undefined;
  const block = fieldsOf(value, 'a block');
  const bloom = block.logsBloom;
  return {
    number: quantityOf(block.number, "a block's number"),
    hash: matching(block.hash, HASH, "a block's hash"),
    parentHash: matching(block.parentHash, HASH, "a parent's hash"),
    timestamp: quantityOf(block.timestamp, "a block's time"),
    logsBloom:
      typeof bloom === 'string' && bloom.length === BLOOM_LENGTH ? hexDataOf(bloom, 'a bloom filter') : undefined,
  };
}

function topicsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_TOPICS) throw invalid("a log's topics");
  return value.map((topic: unknown, place) => (place === 0 ? firstTopic(topic) : matching(topic, HASH, 'a topic')));
}

function logOf(value: unknown): RawLog {
  const log = fieldsOf(value, 'a log');
  if (log.removed === true) throw invalid('a log that is on the chain');
  return {
    address: addressOfLog(log.address),
    topics: topicsOf(log.topics),
    data: hexDataOf(log.data, "a log's data"),
    blockNumber: quantityOf(log.blockNumber, "a log's block number"),
    blockHash: blockHashOfLog(log.blockHash),
    transactionHash: transactionOfLog(log.transactionHash),
    logIndex: quantityOf(log.logIndex, "a log's index"),
    // Not of the protocol: what has another form is no time.
    blockTimestamp: isQuantity(log.blockTimestamp) ? quantityOf(log.blockTimestamp, "a log's time") : undefined,
  };
}

/** Logs in the order they were given. @throws RpcFailure `invalid` */
export function logsOf(value: unknown): RawLog[] {
  if (!Array.isArray(value)) throw invalid('a list of logs');
  return value.map(logOf);
}

/** What the receipt of a transaction tells of logs. */
export interface Receipt {
  readonly transactionHash: string;
  readonly blockHash: string;
  readonly logs: readonly RawLog[];
}

/** A receipt with those of its logs that are wanted, or undefined for null. @throws RpcFailure `invalid` */
export function receiptOf(value: unknown, isWanted: (log: RawLog) => boolean): Receipt | undefined {
  if (value === null) return undefined;
  const receipt = fieldsOf(value, 'a receipt');
  const blockHash = matching(receipt.blockHash, HASH, "a receipt's block hash");
  const logs = logsOf(receipt.logs);
  if (logs.some((log) => log.blockHash !== blockHash)) throw invalid('a receipt with logs of its block');
  const transactionHash = matching(receipt.transactionHash, HASH, "a receipt's transaction");
  return { transactionHash, blockHash, logs: logs.filter(isWanted) };
}

/** All receipts of a block, with the wanted logs. @throws RpcFailure `invalid` */
export function receiptsOf(value: unknown, isWanted: (log: RawLog) => boolean): readonly Receipt[] {
  if (!Array.isArray(value)) throw invalid('a list of receipts');
  return value.map((one: unknown) => {
    const receipt = receiptOf(one, isWanted);
    if (receipt === undefined) throw invalid('a list of receipts');
    return receipt;
  });
}

/** A block and the hashes of its transactions. */
export interface BlockTransactions {
  readonly hash: string;
  readonly transactions: readonly string[];
}

/** Undefined for null. @throws RpcFailure `invalid` */
export function blockTransactionsOf(value: unknown): BlockTransactions | undefined {
  if (value === null) return undefined;
  const block = fieldsOf(value, 'a block');
  const { transactions } = block;
  if (!Array.isArray(transactions)) throw invalid('a block with its transactions');
  return {
    hash: matching(block.hash, HASH, "a block's hash"),
    transactions: transactions.map((hash: unknown) => matching(hash, HASH, "a transaction's hash")),
  };
}
