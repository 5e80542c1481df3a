import { SseParser, type SseOutput, type SseParserOptions } from './parser';

function parse(stream: string | Uint8Array, options?: SseParserOptions): SseOutput[] {
  return new SseParser(options).feed(stream);
}

function data(stream: string | Uint8Array): string[] {
  return parse(stream).flatMap((output) => (output.kind === 'event' ? [output.data] : []));
}

describe('SseParser', () => {
  it.each<[string, string[]]>([
    ['data: a\n\n', ['a']],
    ['data:a\n\n', ['a']],
    ['data:  a \n\n', [' a ']],
    ['data: a\ndata: b\n\n', ['a\nb']],
    ['data: a\r\ndata: b\r\n\r\n', ['a\nb']],
    ['data: a\rdata: b\r\r', ['a\nb']],
    ['data: a\n\rdata: b\n\n', ['a', 'b']],
    ['data\n\ndata\ndata\n\ndata:', ['', '\n']],
    ['data:\n\n', ['']],
    ['data: a', []],
    ['data: a\n', []],
    ['data: a\n\n\n\n\n', ['a']],
    ['data: a:b: c\n\n', ['a:b: c']],
    ['Data: a\n\n data: b\n\n', []],
    ['foo: a\nfoo\n\n', []],
    ['\ufeffdata: a\n\n', ['a']],
    ['\ufeff\ufeffdata: a\n\n', []],
    ['\n\ufeffdata: a\n\n', []],
    ['data: \ufeffa\0\n\n', ['\ufeffa\0']],
  ])('reads the data of %j', (stream, expected) => {
    expect(data(stream)).toEqual(expected);
    expect(data(Buffer.from(stream))).toEqual(expected);
  });

  it('replaces invalid UTF-8', () => {
    const stream = Buffer.concat([Buffer.from('data: '), Buffer.from([0xe2, 0x82]), Buffer.from('\n\ndata: b\n\n')]);
    expect(data(stream)).toEqual(['\ufffd', 'b']);
  });

  it('names the type of one event only', () => {
    expect(parse('event: e\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n')).toMatchObject([
      { type: 'e', data: 'a' },
      { type: 'message', data: 'b' },
      { type: 'message', data: 'c' },
    ]);
  });

  it('keeps the last event id until another comes, and says when it moves alone', () => {
    const parser = new SseParser({ lastEventId: 'before' });
    expect(parser.feed('data: a\n\nid: 1\ndata: b\n\ndata: c\n\nid: 2\n')).toMatchObject([
      { kind: 'event', lastEventId: 'before' },
      { kind: 'event', lastEventId: '1' },
      { kind: 'event', lastEventId: '1' },
    ]);
    expect(parser.lastEventId).toBe('1');
    expect(parser.feed('\n')).toEqual([{ kind: 'mark', lastEventId: '2' }]);
    expect(parser.lastEventId).toBe('2');
    expect(parser.feed('id: 2\n\n\n')).toEqual([]);
    expect(parser.feed('id\n\n')).toEqual([{ kind: 'mark', lastEventId: '' }]);
  });

  it('ignores an id with NUL', () => {
    expect(parse('id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n')).toMatchObject([{ lastEventId: '1' }, { lastEventId: '1' }]);
  });

  it('takes a delay of digits only', () => {
    expect(parse('retry: 10\nretry:020\nretry: -1\nretry: 1e3\nretry: 1.5\nretry\nretry: 5 \n')).toEqual([
      { kind: 'retry', retryMs: 10 },
      { kind: 'retry', retryMs: 20 },
    ]);
    expect(parse(`retry: ${'9'.repeat(400)}\n`)).toEqual([]);
  });

  it('gives comments', () => {
    expect(parse(':\n: a\n:b\r\n\n')).toEqual([
      { kind: 'comment', text: '' },
      { kind: 'comment', text: 'a' },
      { kind: 'comment', text: 'b' },
    ]);
  });

  it('takes CRLF that is cut in the middle as one line end', () => {
    const parser = new SseParser();
    expect(parser.feed('data: a\r')).toEqual([]);
    expect(parser.feed('')).toEqual([]);
    expect(parser.feed('\n')).toEqual([]);
    expect(parser.feed('\r')).toMatchObject([{ data: 'a' }]);
    expect(parser.feed('\ndata: b\n\n')).toMatchObject([{ data: 'b' }]);
  });

  it('ends at an event that is too long, however it comes', () => {
    const options = { maxEventBytes: 10 };
    const error = [{ kind: 'error', code: 'event-too-long', message: 'event longer than 10 bytes' }];
    expect(parse('data: 1234', options)).toEqual([]);
    expect(parse('data: 12345', options)).toEqual(error);
    expect(parse('data: 12345\n', options)).toEqual(error);
    expect(parse('data:\ndata:1\n', options)).toEqual(error);
    expect(parse(':234567890\n'.repeat(3), options)).toHaveLength(3);
    const parser = new SseParser(options);
    expect(parser.feed('data: a\n\ndata: 12345\n\n')).toMatchObject([{ data: 'a' }, ...error]);
    expect(parser.feed('data: b\n\n')).toEqual([]);
    expect(parser.bufferedBytes).toBe(0);
  });
});
