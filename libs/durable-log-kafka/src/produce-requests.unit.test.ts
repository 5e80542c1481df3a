import { MAX_EVENT_BYTES, MAX_NAME_LENGTH } from '@sluice/event-schema';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import { MAX_REQUEST_BYTES, toProduceRequests } from './produce-requests';

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('toProduceRequests', () => {
  it('keys records by entity and keeps their text and order', () => {
    const events = range(3).map((n) => sandboxEnvelope({ entityId: `s-${n}`, data: { text: '🐚\ud800\u0000' } }));
    const [records, ...rest] = toProduceRequests(events);
    expect(rest).toEqual([]);
    expect(records?.map(({ key }) => key)).toEqual(['sandbox/s-0', 'sandbox/s-1', 'sandbox/s-2']);
    expect(records?.map(({ value }) => value.toString())).toEqual(events.map(({ json }) => json));
  });

  it('needs no request for no events', () => {
    expect(toProduceRequests([])).toEqual([]);
  });

  it('stays below the limit, keys included, and in order', () => {
    const entityId = '語'.repeat(MAX_NAME_LENGTH);
    const events = range(2_000).map((n) => sandboxEnvelope({ entityId, data: { n } }));
    const requests = toProduceRequests(events);
    expect(requests.length).toBeGreaterThan(1);
    for (const records of requests) {
      const bytes = records.reduce((total, { key, value }) => total + Buffer.byteLength(key) + value.length, 0);
      expect(bytes).toBeLessThan(MAX_REQUEST_BYTES);
    }
    expect(requests.flat().map(({ value }) => value.toString())).toEqual(events.map(({ json }) => json));
  });

  it('sends a record that is larger than the limit alone', () => {
    const events = [
      sandboxEnvelope(),
      sandboxEnvelope({ data: { blob: 'x'.repeat(MAX_EVENT_BYTES) } }),
      sandboxEnvelope(),
    ];
    expect(toProduceRequests(events, 1_000).map((records) => records.length)).toEqual([1, 1, 1]);
  });
});
