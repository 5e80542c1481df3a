import type { RawLog } from '../logs/raw-log';
import { RpcFailure } from './rpc-failure';

/** What a log takes beside its data. */
const LOG_OVERHEAD_BYTES = 600;

/** What these logs take in memory, about. */
export function bytesOf(logs: readonly RawLog[]): number {
  return logs.reduce((bytes, { data }) => bytes + data.length + LOG_OVERHEAD_BYTES, 0);
}

/** @throws RpcFailure `limit` */
export function ensureRoom(bytes: number, maxLogBytes: number): void {
  if (bytes > maxLogBytes) throw new RpcFailure('limit', `the logs take more than ${maxLogBytes} bytes`);
}
