import fc from 'fast-check';
import { anyPlaces, cut, streamNoise, wellFormed } from '../test/chunks';
import { encodeComment, encodeCursorMark, encodeEvent, encodeRetry } from './encode';
import { LineSplitter } from './line-splitter';
import { SseParser, type SseOutput, type SseParserOptions } from './parser';

const fieldValue = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((text) => wellFormed(text.replace(/[\r\n\0]/g, '')));
const text = fc
  .array(fc.oneof(fc.constantFrom('\n', '\r', '\r\n', 'data: x', 'id: 1', ':', ' '), fc.string({ unit: 'binary' })))
  .map((parts) => wellFormed(parts.join('')));

function feedAll(chunks: readonly (Uint8Array | string)[], options?: SseParserOptions): SseOutput[] {
  const parser = new SseParser(options);
  return chunks.flatMap((chunk) => parser.feed(chunk));
}

describe('sse-protocol, fuzzed', () => {
  it('parses what it encodes, however the bytes are cut', () => {
    const frame = fc.oneof(
      fc
        .record({
          id: fc.option(fieldValue, { nil: undefined }),
          event: fc.option(fieldValue, { nil: undefined }),
          data: text,
        })
        .map((event) => ({ kind: 'event' as const, bytes: encodeEvent(event), ...event })),
      fieldValue.map((id) => ({ kind: 'mark' as const, bytes: encodeCursorMark(id), id })),
      fc.nat().map((retryMs) => ({ kind: 'retry' as const, bytes: encodeRetry(retryMs), retryMs })),
      text.map((comment) => ({ kind: 'comment' as const, bytes: encodeComment(comment), comment })),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), anyPlaces, (frames, places) => {
        let lastEventId = '';
        const expected: SseOutput[] = [];
        for (const item of frames) {
          if (item.kind === 'retry') expected.push({ kind: 'retry', retryMs: item.retryMs });
          else if (item.kind === 'comment') {
            for (const line of item.comment.split(/\r\n|\r|\n/)) expected.push({ kind: 'comment', text: line });
          } else if (item.kind === 'mark') {
            if (item.id !== lastEventId) expected.push({ kind: 'mark', lastEventId: item.id });
            lastEventId = item.id;
          } else {
            lastEventId = item.id ?? lastEventId;
            const data = item.data.replace(/\r\n|\r/g, '\n');
            expected.push({ kind: 'event', type: item.event || 'message', data, lastEventId });
          }
        }
        const bytes = Buffer.concat(frames.map((item) => item.bytes));
        expect(feedAll(cut(bytes, places))).toEqual(expected);
        expect(feedAll(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
        expect(feedAll(cut(bytes.toString(), places))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same for every cutting of any stream, as bytes or as text', () => {
    fc.assert(
      fc.property(streamNoise, anyPlaces, (stream, places) => {
        for (const options of [undefined, { maxEventBytes: 12 }]) {
          const whole = feedAll([stream], options);
          expect(feedAll(cut(stream, places), options)).toEqual(whole);
          expect(feedAll(cut(Buffer.from(stream), places), options)).toEqual(whole);
          expect(feedAll(stream.split(''), options)).toEqual(whole);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws on any bytes and never keeps more than the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), streamNoise, (raw, noise) => {
        const parser = new SseParser({ maxEventBytes: 20 });
        for (const chunk of [noise, ...raw]) {
          parser.feed(chunk);
          expect(parser.bufferedBytes).toBeLessThanOrEqual(20);
        }
      }),
    );
  });

  it('copies a dripped line a constant number of times per byte', () => {
    const size = 64 * 1024;
    const splitter = new LineSplitter();
    const set = jest.spyOn(Uint8Array.prototype, 'set');
    for (let sent = 0; sent < size; sent++) {
      splitter.push(Uint8Array.of(0x78));
      splitter.nextLine();
    }
    const copied = set.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
    jest.restoreAllMocks();
    expect(splitter.pendingBytes).toBe(size);
    expect(copied).toBeGreaterThanOrEqual(size);
    expect(copied).toBeLessThan(4 * size);
  });
});
