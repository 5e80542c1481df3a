import { CommandParser, type CommandOutput } from './command-parser';
import { DEFAULT_COMMAND_LIMITS, type CommandLimits } from './limits';

function parse(text: string | Uint8Array, limits?: Partial<CommandLimits>): CommandOutput[] {
  return new CommandParser(limits).feed(Buffer.from(text));
}

function code(outputs: readonly CommandOutput[]): string | undefined {
  const last = outputs.at(-1);
  return last?.kind === 'error' ? last.code : undefined;
}

function resp(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

describe('the line dialect', () => {
  it('reads what the sandbox client sends', () => {
    expect(parse('SUBSCRIBE sandbox-1 tok.en\r\nPING\r\nunsubscribe\r\n')).toEqual([
      { kind: 'command', dialect: 'line', name: 'SUBSCRIBE', args: ['sandbox-1', 'tok.en'] },
      { kind: 'command', dialect: 'line', name: 'PING', args: [] },
      { kind: 'command', dialect: 'line', name: 'UNSUBSCRIBE', args: [] },
    ]);
  });

  it('keeps the case of arguments and skips blank lines and repeated blanks', () => {
    expect(parse('\r\n  \r\n subscribe  AbC   xYz \r\n')).toEqual([
      { kind: 'command', dialect: 'line', name: 'SUBSCRIBE', args: ['AbC', 'xYz'] },
    ]);
  });

  it('turns only ASCII into capitals', () => {
    expect(parse('pıng\r\n')).toMatchObject([{ name: 'PıNG' }]);
  });

  it('does not end a line at LF alone', () => {
    const parser = new CommandParser();
    expect(parser.feed(Buffer.from('PING\n'))).toEqual([]);
    expect(parser.feed(Buffer.from('PING\r'))).toEqual([]);
    expect(code(parser.feed(Buffer.from('\n')))).toBe('control-character');
  });

  it.each(['a\rb', 'a\0b', 'a\tb', 'a\u007fb', 'a\u0085b'])('refuses control characters (%j)', (line) => {
    expect(code(parse(`PING ${line}\r\n`))).toBe('control-character');
  });

  it('refuses invalid UTF-8', () => {
    expect(code(parse(Buffer.from([0x50, 0xc3, 0x28, 0x0d, 0x0a])))).toBe('invalid-utf8');
    expect(code(parse(Buffer.from([0x50, 0xed, 0xa0, 0x80, 0x0d, 0x0a])))).toBe('invalid-utf8');
  });

  it('takes a line of exactly the limit and no more', () => {
    const limits = { maxLineBytes: 8 };
    expect(parse('12345678\r\n', limits)).toMatchObject([{ name: '12345678' }]);
    expect(code(parse('123456789\r\n', limits))).toBe('line-too-long');
    expect(parse('12345678\r', limits)).toEqual([]);
    expect(code(parse('1234567890', limits))).toBe('line-too-long');
  });

  it('bounds the words', () => {
    expect(code(parse(`${'a '.repeat(1025)}\r\n`))).toBe('too-many-words');
    expect(parse(`${'a '.repeat(1024)}\r\n`)).toMatchObject([{ name: 'A' }]);
  });
});

describe('the RESP dialect', () => {
  it.each([
    [['HELLO', '3', 'AUTH', 'default', 'secret', 'SETNAME', 'x']],
    [['client', 'SETINFO', 'LIB-NAME', 'ioredis']],
    [['PSUBSCRIBE', 'sandbox-*', 'ü€😀']],
    [['PING', '']],
    [['SET', 'a\r\nb', 'with blank']],
  ])('reads %j', (words) => {
    const [name = '', ...args] = words;
    expect(parse(resp(...words))).toEqual([{ kind: 'command', dialect: 'resp', name: name.toUpperCase(), args }]);
  });

  it('reads pipelined commands and tells the dialect', () => {
    const parser = new CommandParser();
    expect(parser.dialect).toBeUndefined();
    expect(parser.feed(Buffer.from(resp('PING') + resp('QUIT')))).toHaveLength(2);
    expect(parser.dialect).toBe('resp');
    expect(parser.bufferedBytes).toBe(0);
  });

  it.each([
    ['*-1\r\n', 'bad-length'],
    ['*0\r\n', 'bad-length'],
    ['*+1\r\n', 'bad-length'],
    ['*01\r\n', 'bad-length'],
    ['* 1\r\n', 'bad-length'],
    ['*1 \r\n', 'bad-length'],
    ['*\r\n', 'bad-length'],
    ['*1e3\r\n', 'bad-length'],
    ['*0x1\r\n', 'bad-length'],
    ['*1\n', undefined],
    ['*1\n\r\n', 'bad-length'],
    ['*1025\r\n', 'too-many-words'],
    ['*1000000000\r\n', 'too-many-words'],
    ['*99999999999\r\n', 'bad-length'],
    ['*99999999999999999999\r\n', 'header-too-long'],
    ['*1\r\n$-1\r\n', 'bad-length'],
    ['*1\r\n$+4\r\nPING\r\n', 'bad-length'],
    ['*1\r\n$04\r\nPING\r\n', 'bad-length'],
    ['*1\r\n$65537\r\n', 'bulk-too-long'],
    ['*1\r\n$9999999999\r\n', 'bulk-too-long'],
    ['*1\r\n$99999999999\r\n', 'bad-length'],
    ['*1\r\n:4\r\n', 'expected-bulk'],
    ['*1\r\n*1\r\n', 'expected-bulk'],
    ['*1\r\n$4\r\nPINGxx', 'missing-terminator'],
    ['*1\r\n$3\r\nPING\r\n', 'missing-terminator'],
    ['*1\r\n$4\r\nPING\r\nPING\r\n', 'expected-array'],
  ])('answers %j by %s', (text, expected) => {
    expect(code(parse(text))).toBe(expected);
  });

  it('refuses invalid UTF-8 in any word', () => {
    expect(
      code(parse(Buffer.concat([Buffer.from('*1\r\n$2\r\n'), Buffer.from([0xc3, 0x28]), Buffer.from('\r\n')]))),
    ).toBe('invalid-utf8');
  });

  it('bounds the whole command, before the bytes have come', () => {
    const bulk = `$65536\r\n${'x'.repeat(65536)}\r\n`;
    expect(code(parse(`*3\r\n${bulk}$65536\r\n`))).toBe('command-too-long');
    expect(code(parse(`*3\r\n${bulk}$60000\r\n`))).toBeUndefined();
  });

  it('takes a command of exactly the limit and no more', () => {
    const command = resp('PING', 'hello');
    expect(parse(command, { maxCommandBytes: command.length })).toHaveLength(1);
    expect(code(parse(command, { maxCommandBytes: command.length - 1 }))).toBe('command-too-long');
  });

  it('counts an unfinished length as part of the command', () => {
    const limits = { maxCommandBytes: 20 };
    expect(code(parse('*2\r\n$4\r\nPING\r\n$0000', limits))).toBeUndefined();
    expect(code(parse('*2\r\n$4\r\nPING\r\n$00000', limits))).toBe('command-too-long');
  });
});

describe('after an error', () => {
  it('gives the commands before it, then nothing ever again', () => {
    const parser = new CommandParser();
    const outputs = parser.feed(Buffer.from(`${resp('PING')}oops${resp('PING')}`));
    expect(outputs.map(({ kind }) => kind)).toEqual(['command', 'error']);
    expect(parser.failed).toBe(true);
    expect(parser.bufferedBytes).toBe(0);
    expect(parser.feed(Buffer.from(resp('PING')))).toEqual([]);
  });

  it('has messages of one line that repeat nothing of the peer', () => {
    const output = parse('*1\r\n$SECRET\r\n').at(-1);
    expect(output).toEqual({ kind: 'error', code: 'bad-length', message: 'invalid length' });
  });
});

it('has limits that fit together', () => {
  expect(DEFAULT_COMMAND_LIMITS.maxBulkBytes).toBeLessThan(DEFAULT_COMMAND_LIMITS.maxCommandBytes);
});

it('takes other limits between commands, and leaves what is behind a command unread until asked', () => {
  const parser = new CommandParser({ maxWords: 2, maxBulkBytes: 8, maxCommandBytes: 64 });
  const open = '*2\r\n$4\r\nauth\r\n$1\r\nx\r\n';
  const large = `*3\r\n$3\r\nset\r\n$20\r\n${'x'.repeat(20)}\r\n$40\r\n${'y'.repeat(40)}\r\n`;
  parser.push(Buffer.from(open + large.slice(0, 30)));
  expect(parser.next()).toMatchObject({ name: 'AUTH' });
  parser.setLimits({ maxWords: 3, maxBulkBytes: 40, maxCommandBytes: 128 });
  expect(parser.next()).toBeUndefined();
  parser.push(Buffer.from(large.slice(30) + large));
  expect(parser.next()).toMatchObject({ name: 'SET', args: ['x'.repeat(20), 'y'.repeat(40)] });
  parser.setLimits({ maxBulkBytes: 8 });
  expect(parser.next()).toMatchObject({ kind: 'error', code: 'bulk-too-long' });
  expect(parser.next()).toBeUndefined();
  expect(parser.bufferedBytes).toBe(0);
});

it('forgets everything when closed', () => {
  const parser = new CommandParser();
  parser.push(Buffer.from('PING\r\nPING\r\nPI'));
  expect(parser.next()).toMatchObject({ name: 'PING' });
  parser.close();
  expect(parser.feed(Buffer.from('PING\r\n'))).toEqual([]);
  expect(parser.bufferedBytes).toBe(0);
});
