import { createHash } from 'node:crypto';
import type { RawLog } from './raw-log';

/** The same for the same logs in the same order, whatever else endpoints tell of them. */
export function digestOfLogs(logs: readonly RawLog[]): string {
  const hash = createHash('sha256');
  for (const log of logs) {
    const { blockNumber, blockHash, transactionHash, logIndex, address, topics, data } = log;
    hash.update(`${blockNumber} ${blockHash} ${transactionHash} ${logIndex} ${address} ${topics.join(' ')} ${data}\n`);
  }
  return hash.digest('base64');
}
