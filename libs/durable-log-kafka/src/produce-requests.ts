import type { LogEntry } from '@sluice/event-log';

/**
 * Most bytes of records in one request. All records of a partition form one batch at the broker, which must stay below
 * the topic's `max.message.bytes` whatever the keys are.
 */
export const MAX_REQUEST_BYTES = 1_000_000;

/** Lengths, deltas and attributes of one record, at most. */
const RECORD_OVERHEAD_BYTES = 32;

/** What a record takes in a request, at most. */
export function requestBytesOf({ key, value }: LogEntry): number {
  return value.byteLength + Buffer.byteLength(key) + RECORD_OVERHEAD_BYTES;
}

/** The entries in order, in as few requests as the limit allows. One larger entry goes alone. */
export function toProduceRequests(
  entries: readonly LogEntry[],
  maxRequestBytes: number = MAX_REQUEST_BYTES,
): readonly (readonly LogEntry[])[] {
  const requests: LogEntry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const size = requestBytesOf(entry);
    if (bytes + size > maxRequestBytes) {
      requests.push([]);
      bytes = 0;
    }
    requests.at(-1)?.push(entry);
    bytes += size;
  }
  return requests;
}
