import fc from 'fast-check';
import { encodeComment, encodeCursorMark, encodeEvent, encodeJsonEvent, encodeRetry } from './encode';
import { SseEncodeError } from './encode-error';

describe('encoders', () => {
  it.each([
    [encodeEvent({ data: '' }), 'data: \n\n'],
    [encodeEvent({ data: 'a' }), 'data: a\n\n'],
    [encodeEvent({ data: 'a\nb\r\nc\rd\n' }), 'data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n'],
    [encodeEvent({ id: '1', event: 'e', data: 'a', retryMs: 5 }), 'retry: 5\nid: 1\nevent: e\ndata: a\n\n'],
    [encodeEvent({ id: '', event: '', data: 'a' }), 'id: \ndata: a\n\n'],
    [encodeJsonEvent('1', 'e', '{"ü":1}'), 'id: 1\nevent: e\ndata: {"ü":1}\n\n'],
    [encodeJsonEvent(undefined, undefined, '{}'), 'data: {}\n\n'],
    [encodeJsonEvent('1', 'e', Buffer.from('{"ü":1}')), 'id: 1\nevent: e\ndata: {"ü":1}\n\n'],
    [encodeComment(), ':\n\n'],
    [encodeComment('a\ndata: forged\r\rb'), ': a\n: data: forged\n:\n: b\n\n'],
    [encodeRetry(0), 'retry: 0\n\n'],
    [encodeCursorMark('c-1'), 'id: c-1\n\n'],
  ])('give %j', (bytes, expected) => {
    expect(bytes.toString()).toBe(expected);
  });

  it.each(['a\nb', 'a\rb', 'a\0b', '\n', '1\ndata: forged\n\n'])('refuse %j as an id or a type', (text) => {
    const calls: [() => unknown, string][] = [
      [() => encodeEvent({ id: text, data: '' }), 'invalid-id'],
      [() => encodeJsonEvent(text, undefined, '{}'), 'invalid-id'],
      [() => encodeCursorMark(text), 'invalid-id'],
      [() => encodeEvent({ event: text, data: '' }), 'invalid-event'],
      [() => encodeJsonEvent(undefined, text, '{}'), 'invalid-event'],
    ];
    for (const [call, code] of calls) expect(call).toThrow(expect.objectContaining({ name: 'SseEncodeError', code }));
  });

  it.each(['{\n}', '{\r}', '{}\r\n', '\n'])('refuse %j on the JSON path', (json) => {
    expect(() => encodeJsonEvent('1', 'e', json)).toThrow(SseEncodeError);
    expect(() => encodeJsonEvent('1', 'e', Buffer.from(json))).toThrow(SseEncodeError);
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53])('refuse %d as a delay', (retryMs) => {
    expect(() => encodeRetry(retryMs)).toThrow(SseEncodeError);
    expect(() => encodeEvent({ data: '', retryMs })).toThrow(SseEncodeError);
  });

  it('escapes line ends of Unicode in JSON, which some clients split lines at', () => {
    const data = { text: 'a\u0085b\u2028c\u2029d', '\u2028': 1 };
    const frame = encodeJsonEvent('1', 'e', JSON.stringify(data)).toString();
    expect(frame).toBe('id: 1\nevent: e\ndata: {"text":"a\\u0085b\\u2028c\\u2029d","\\u2028":1}\n\n');
    expect(JSON.parse(frame.slice(frame.indexOf('{')))).toEqual(data);
  });

  it('agree on JSON, by the fast path or not', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.json().filter((json) => !/[\u0085\u2028\u2029]/.test(json)),
        (id, json) => {
          expect(encodeJsonEvent(id, 'e', json)).toEqual(encodeEvent({ id, event: 'e', data: json }));
          expect(encodeJsonEvent(id, 'e', Buffer.from(json))).toEqual(encodeJsonEvent(id, 'e', json));
        },
      ),
    );
  });
});
