import { parseServerLine, subscribeLine } from './protocol';

describe('subscribeLine', () => {
  it('has two or three arguments', () => {
    expect(subscribeLine('s', 't', undefined)).toBe('SUBSCRIBE s t');
    expect(subscribeLine('s', 't', 'c')).toBe('SUBSCRIBE s t c');
  });

  it.each(['', 'a b', 'a\r\nPING', 'a\n', '\u0000', 'a\u0085', 'a\u2028b', 'a\tb', '\ud800', 'x'.repeat(20_000)])(
    'refuses %j in every place',
    (bad) => {
      expect(() => subscribeLine(bad, 't', undefined)).toThrow('sandboxId');
      expect(() => subscribeLine('s', bad, undefined)).toThrow(/access ?token/i);
      expect(() => subscribeLine('s', 't', bad)).toThrow('cursor');
    },
  );
});

describe('parseServerLine', () => {
  it.each([
    ['+OK', undefined],
    ['+OK subscribed', undefined],
    ['+OK subscribed sandbox-123', undefined],
    ['+OK subscribed sandbox-123 c1', 'c1'],
    ['+OKAY then', undefined],
  ])('reads %j as an acknowledgement', (line, cursor) => {
    expect(parseServerLine(line)).toEqual({ kind: 'ok', cursor });
  });

  it('reads cursors and resets', () => {
    expect(parseServerLine('+CURSOR c2')).toEqual({ kind: 'cursor', cursor: 'c2' });
    expect(parseServerLine('+RESET c3 the epoch changed')).toEqual({
      kind: 'reset',
      cursor: 'c3',
      reason: 'the epoch changed',
    });
  });

  it.each(['+CURSOR', '+RESET', '+NEW thing', '*3', '$7', ':1', 'message', '', ' {"id":"e"}', '-WRONGPASS no'])(
    'skips %j',
    (line) => {
      expect(parseServerLine(line)).toEqual({ kind: 'other' });
    },
  );

  it.each(['{', '{}', '{"id":1,"type":"t"}'])('calls %j malformed', (line) => {
    expect(parseServerLine(line)).toEqual({ kind: 'malformed' });
  });

  it.each([
    ['unauthorized bad token', 'unauthorized', false],
    ['token_expired', 'token_expired', false],
    ['forbidden other sandbox', 'forbidden', false],
    ['bad_request what', 'bad_request', false],
    ['slow_subscriber queue is full', 'slow_subscriber', true],
    ['shutting_down', 'shutting_down', true],
    ['unavailable', 'unavailable', true],
    ['some_new_code x', 'some_new_code', true],
    ['slow subscriber', undefined, true],
    ['', undefined, true],
  ])('reads -ERR %j', (text, code, retryable) => {
    expect(parseServerLine(`-ERR ${text}`)).toMatchObject({ kind: 'error', error: { message: text, code, retryable } });
  });
});
