import type { LogEntry } from '@sluice/event-log';
import { MAX_REQUEST_BYTES, toProduceRequests } from './produce-requests';

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

const entry = (key: string, bytes = 300): LogEntry => ({ key, value: Buffer.alloc(bytes, key) });

describe('toProduceRequests', () => {
  it('keeps entries as they are, and their order', () => {
    const entries = range(3).map((n) => entry(`s-${n}`));
    expect(toProduceRequests(entries)).toEqual([entries]);
  });

  it('needs no request for nothing', () => {
    expect(toProduceRequests([])).toEqual([]);
  });

  it('stays below the limit, keys included, and in order', () => {
    const entries = range(3_000).map((n) => entry(`${'語'.repeat(200)}/${n}`));
    const requests = toProduceRequests(entries);
    expect(requests.length).toBeGreaterThan(1);
    for (const records of requests) {
      const bytes = records.reduce((total, { key, value }) => total + Buffer.byteLength(key) + value.byteLength, 0);
      expect(bytes).toBeLessThan(MAX_REQUEST_BYTES);
    }
    expect(requests.flat()).toEqual(entries);
  });

  it('sends an entry that is larger than the limit alone', () => {
    const entries = [entry('a'), entry('b', 2_000), entry('c')];
    expect(toProduceRequests(entries, 1_000).map((records) => records.length)).toEqual([1, 1, 1]);
  });
});
