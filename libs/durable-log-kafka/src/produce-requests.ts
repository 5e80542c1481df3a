import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';

export interface ProduceRecord {
  readonly key: string;
  readonly value: Buffer;
}

/**
 * Most bytes of records in one request. All records of a partition form one batch at the broker, which must stay below
 * the topic's `max.message.bytes` whatever the keys are.
 */
export const MAX_REQUEST_BYTES = 1_000_000;

/** Lengths, deltas and attributes of one record, at most. */
const RECORD_OVERHEAD_BYTES = 32;

/** The records of the events in order, in as few requests as the limit allows. One larger record goes alone. */
export function toProduceRequests(
  events: readonly EncodedEnvelope[],
  maxRequestBytes: number = MAX_REQUEST_BYTES,
): readonly (readonly ProduceRecord[])[] {
  const requests: ProduceRecord[][] = [];
  let bytes = Infinity;
  for (const { event, json } of events) {
    const record = { key: entityKey(event), value: Buffer.from(json) };
    const size = record.value.length + Buffer.byteLength(record.key) + RECORD_OVERHEAD_BYTES;
    if (bytes + size > maxRequestBytes) {
      requests.push([]);
      bytes = 0;
    }
    requests.at(-1)?.push(record);
    bytes += size;
  }
  return requests;
}
