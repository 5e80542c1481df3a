import fc from 'fast-check';
import { EncodeError } from './encode-error';
import { encodeEventLine, encodeLineError, encodeLineOk, encodeLinePong } from './encode-line';
import {
  encodeArray,
  encodeBulk,
  encodeError,
  encodeInteger,
  encodeMap,
  encodeMessage,
  encodeNull,
  encodePatternMessage,
  encodePong,
  encodePush,
  encodeSimple,
  encodeSubscription,
} from './encode-resp';

describe('RESP encoders', () => {
  it.each([
    [encodeSimple('OK'), '+OK\r\n'],
    [encodeError('unknown command'), '-ERR unknown command\r\n'],
    [encodeError('log in', 'NOAUTH'), '-NOAUTH log in\r\n'],
    [encodeError('x', 'no\r\nauth'), '-ERR x\r\n'],
    [encodeInteger(-3), ':-3\r\n'],
    [encodeInteger(2n ** 63n), ':9223372036854775808\r\n'],
    [encodeBulk('ü'), '$2\r\nü\r\n'],
    [encodeBulk(''), '$0\r\n\r\n'],
    [encodeNull(2), '$-1\r\n'],
    [encodeNull(3), '_\r\n'],
    [encodeArray([encodeInteger(1), encodeBulk('a')]), '*2\r\n:1\r\n$1\r\na\r\n'],
    [encodePush(2, [encodeInteger(1)]), '*1\r\n:1\r\n'],
    [encodePush(3, [encodeInteger(1)]), '>1\r\n:1\r\n'],
    [encodeMap(2, [[encodeBulk('proto'), encodeInteger(2)]]), '*2\r\n$5\r\nproto\r\n:2\r\n'],
    [encodeMap(3, [[encodeBulk('proto'), encodeInteger(3)]]), '%1\r\n$5\r\nproto\r\n:3\r\n'],
    [encodeMessage(2, 'c', '{}'), '*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n{}\r\n'],
    [encodeMessage(3, 'c', Buffer.from('{}')), '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n{}\r\n'],
    [encodePatternMessage(3, '*', 'c', '€'), '>4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$3\r\n€\r\n'],
    [encodeSubscription(2, 'subscribe', 'c', 1), '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n'],
    [encodeSubscription(3, 'punsubscribe', null, 0), '>3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n'],
    [encodePong(2, false), '+PONG\r\n'],
    [encodePong(2, false, 'hi'), '$2\r\nhi\r\n'],
    [encodePong(2, true), '*2\r\n$4\r\npong\r\n$0\r\n\r\n'],
    [encodePong(2, true, 'hi'), '*2\r\n$4\r\npong\r\n$2\r\nhi\r\n'],
    [encodePong(3, true), '+PONG\r\n'],
  ])('gives %j', (bytes, expected) => {
    expect(bytes.toString()).toBe(expected);
  });

  it.each([NaN, Infinity, 1.5, 2 ** 53])('refuses %d as an integer', (n) => {
    expect(() => encodeInteger(n)).toThrow(EncodeError);
  });

  it('never lets a text break out of its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.string(), (text, code) => {
        for (const bytes of [encodeSimple(text), encodeError(text, code), encodeLineError(text), encodeLineOk(text)]) {
          expect(bytes.indexOf('\r')).toBe(bytes.length - 2);
          expect(bytes.indexOf('\n')).toBe(bytes.length - 1);
          expect(bytes.length).toBeLessThanOrEqual(3 * 1024 + 40);
        }
        expect(encodeLineError(text).toString()).toMatch(/^-ERR /);
      }),
    );
    expect(encodeLineError('a\r\n{"forged":1}').toString()).toBe('-ERR a {"forged":1}\r\n');
  });
});

describe('line encoders', () => {
  it('speaks the words that the sandbox client knows', () => {
    expect(encodeLineOk().toString()).toBe('+OK\r\n');
    expect(encodeLineOk('subscribed s').toString()).toBe('+OK subscribed s\r\n');
    expect(encodeLinePong().toString()).toBe('+PONG\r\n');
    expect(encodeLineError('slow subscriber').toString()).toBe('-ERR slow subscriber\r\n');
  });

  it('writes any JSON object as one line that starts with a brace', () => {
    fc.assert(
      fc.property(fc.object(), (value) => {
        const json = JSON.stringify(value);
        const line = encodeEventLine(json);
        expect(line).toEqual(encodeEventLine(Buffer.from(json)));
        expect(line.toString()).toBe(`${json}\r\n`);
        expect(line.indexOf('\n')).toBe(line.length - 1);
      }),
    );
  });

  it.each(['', '[]', ' {}', '{} ', '{\n}', '{\r}', '{"a":1}\r\n{"b":2}', '+OK'])('refuses %j as an event', (json) => {
    expect(() => encodeEventLine(json)).toThrow(EncodeError);
  });
});
