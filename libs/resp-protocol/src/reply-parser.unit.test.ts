import fc from 'fast-check';
import { anyPlaces, cut, drip, protocolNoise } from '../test/chunks';
import { encodeEventLine, encodeLineError, encodeLineOk } from './encode-line';
import {
  encodeArray,
  encodeBulk,
  encodeInteger,
  encodeMap,
  encodeMessage,
  encodeNull,
  encodeSimple,
} from './encode-resp';
import type { ReplyLimits } from './limits';
import { toPlainReply, type PlainReply } from './reply';
import { ReplyParser, type ReplyOutput } from './reply-parser';

const TIGHT: ReplyLimits = { maxLineBytes: 20, maxBulkBytes: 12, maxReplyBytes: 40, maxElements: 6, maxDepth: 2 };

function feedAll(chunks: readonly Uint8Array[], limits?: Partial<ReplyLimits>): ReplyOutput[] {
  const parser = new ReplyParser(limits);
  return chunks.flatMap((chunk) => parser.feed(chunk));
}

function plain(text: string | Uint8Array): PlainReply[] {
  return feedAll([Buffer.from(text)]).map((output) => {
    if (output.kind === 'error') throw new Error(output.code);
    return toPlainReply(output.reply);
  });
}

function code(text: string, limits?: Partial<ReplyLimits>): string | undefined {
  const last = feedAll([Buffer.from(text)], limits).at(-1);
  return last?.kind === 'error' ? last.code : undefined;
}

describe('ReplyParser', () => {
  it.each<[string, PlainReply]>([
    ['+OK\r\n', 'OK'],
    ['-ERR no\r\n', new Error('ERR no')],
    [':-12\r\n', -12],
    [':+9007199254740993\r\n', 9007199254740993n],
    ['$5\r\na\r\nbc\r\n', 'a\r\nbc'],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['_\r\n', null],
    ['*0\r\n', []],
    ['*2\r\n*1\r\n:1\r\n~1\r\n#t\r\n', [[1], [true]]],
    [',1.5e3\r\n', 1500],
    [',-inf\r\n', -Infinity],
    [',nan\r\n', NaN],
    ['#f\r\n', false],
    ['!5\r\nERR x\r\n', new Error('ERR x')],
    ['=7\r\ntxt:abc\r\n', 'abc'],
    ['(-123456789012345678901234567890\r\n', -123456789012345678901234567890n],
    ['%1\r\n+a\r\n:1\r\n', new Map([['a', 1]])],
    ['>2\r\n+message\r\n$1\r\nx\r\n', ['message', 'x']],
    ['|1\r\n+ttl\r\n:9\r\n*2\r\n:1\r\n|0\r\n:2\r\n', [1, 2]],
    ['{"a":1}\r\n', '{"a":1}'],
  ])('reads %j', (text, expected) => {
    expect(plain(text)).toEqual([expected]);
  });

  it('reads what the line dialect writes', () => {
    const bytes = Buffer.concat([encodeLineOk('hi'), encodeEventLine('{"id":"1"}'), encodeLineError('bye')]);
    expect(feedAll(drip(bytes))).toEqual([
      { kind: 'reply', reply: { type: 'simple', value: 'OK hi' } },
      { kind: 'reply', reply: { type: 'event', value: '{"id":"1"}' } },
      { kind: 'reply', reply: { type: 'error', value: 'ERR bye' } },
    ]);
  });

  it.each([
    ['\r\n', 'unknown-type'],
    ['OK\r\n', 'unknown-type'],
    [':\r\n', 'bad-value'],
    [':1.5\r\n', 'bad-value'],
    ['#x\r\n', 'bad-value'],
    [',1e\r\n', 'bad-value'],
    ['(1x\r\n', 'bad-value'],
    [`(${'9'.repeat(1025)}\r\n`, 'bad-value'],
    ['_x\r\n', 'bad-value'],
    ['=2\r\nab\r\n', 'bad-value'],
    ['$-2\r\n', 'bad-length'],
    ['%-1\r\n', 'bad-length'],
    ['$?\r\n', 'bad-length'],
    ['*?\r\n', 'bad-length'],
    ['*+1\r\n', 'bad-length'],
    ['$99999999999\r\n', 'bad-length'],
    ['$1048577\r\n', 'bulk-too-long'],
    ['*1000000000\r\n', 'too-many-elements'],
    ['%9000\r\n', 'too-many-elements'],
    ['*00000000000000000000', 'line-too-long'],
    ['$1\r\nabc', 'missing-terminator'],
    ['*1\r\n'.repeat(9), 'too-deep'],
  ])('refuses %j by %s', (text, expected) => {
    expect(code(text)).toBe(expected);
  });

  it('bounds the reply as a whole', () => {
    expect(code('*3\r\n$10\r\n0123456789\r\n$10\r\n', { maxReplyBytes: 30 })).toBe('reply-too-long');
    expect(code('*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n:3\r\n', { maxElements: 5 })).toBe('too-many-elements');
    expect(code('|1\r\n:1\r\n:1\r\n'.repeat(4), { maxReplyBytes: 40 })).toBe('reply-too-long');
  });

  it('gives the same for every cutting, never throws, never keeps more than the limits', () => {
    fc.assert(
      fc.property(protocolNoise, anyPlaces, (bytes, places) => {
        for (const limits of [undefined, TIGHT]) {
          const whole = feedAll([bytes], limits);
          expect(feedAll(cut(bytes, places), limits)).toEqual(whole);
          expect(feedAll(drip(bytes), limits)).toEqual(whole);
        }
        const parser = new ReplyParser(TIGHT);
        for (const chunk of cut(bytes, places)) {
          parser.feed(chunk);
          expect(parser.bufferedBytes).toBeLessThanOrEqual(TIGHT.maxReplyBytes);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back whatever the encoders write', () => {
    type Tree = string | number | null | Tree[] | Map<string, Tree>;
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', maxDepth: 5 },
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeInteger(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.array(fc.tuple(fc.string(), tie('tree')), { maxLength: 3 }).map((entries) => new Map(entries)),
      ),
    }));
    const encode = (value: Tree): Buffer => {
      if (value === null) return encodeNull(3);
      if (typeof value === 'string') return encodeBulk(value);
      if (typeof value === 'number') return encodeInteger(value);
      if (Array.isArray(value)) return encodeArray(value.map(encode));
      return encodeMap(
        3,
        Array.from(value, ([key, item]) => [encodeBulk(key), encode(item)] as const),
      );
    };
    fc.assert(
      fc.property(tree, anyPlaces, (value, places) => {
        const [output] = feedAll(cut(encode(value), places));
        expect(output?.kind === 'reply' && toPlainReply(output.reply)).toEqual(value);
      }),
    );
  });

  it('keeps its bulk strings when the chunk is reused', () => {
    const chunk = encodeMessage(3, 'channel', 'payload');
    const parser = new ReplyParser();
    const [output] = parser.feed(chunk);
    chunk.fill(0);
    expect(output?.kind === 'reply' && toPlainReply(output.reply)).toEqual(['message', 'channel', 'payload']);
    expect(parser.feed(encodeSimple('OK'))).toHaveLength(1);
  });
});
