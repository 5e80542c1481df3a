import { decodeUtf8 } from './encoding';

it('decodes UTF-8, byte order mark and NUL included', () => {
  const text = '\ufeff{"a":"\u0000 🐚"}';
  expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text);
});

it.each([
  ['a stray continuation byte', [0x80]],
  ['a cut sequence', [0xe2, 0x82]],
  ['an overlong form', [0xc0, 0xa0]],
  ['an encoded surrogate', [0xed, 0xa0, 0x80]],
  ['a byte that is never used', [0xff]],
])('rejects %s', (_, bytes) => {
  expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow('not valid');
});
