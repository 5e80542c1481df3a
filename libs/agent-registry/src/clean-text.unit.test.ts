import fc from 'fast-check';
import { cleanText, jsonBytes } from './clean-text';

const HALF = String.fromCharCode(0xd83d);

describe('cleanText', () => {
  it('leaves clean text as it is, line breaks too', () => {
    const text = 'a\tb\r\nc é \u{1f41a}';
    expect(cleanText(text, 100)).toBe(text);
  });

  it('takes control characters out, and puts a sign in the place of half a pair', () => {
    expect(cleanText(`a\u0000b\u0007\u007f${HALF}c`, 100)).toBe('ab\ufffdc');
  });

  it('counts characters, not units, and says that it cut', () => {
    expect([cleanText('\u{1f41a}'.repeat(5), 5), cleanText('\u{1f41a}'.repeat(6), 5)]).toEqual([
      '\u{1f41a}'.repeat(5),
      `${'\u{1f41a}'.repeat(4)}…`,
    ]);
  });

  it('gives clean text within the limit for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (text, max) => {
        const clean = cleanText(text, max);
        expect([...clean].length).toBeLessThanOrEqual(max);
        expect(clean).not.toMatch(/[\u0000\p{Cs}]/u);
        expect(cleanText(clean, max)).toBe(clean);
      }),
      { seed: 4 },
    );
  });

  it('looks at no more than it may leave', () => {
    expect(cleanText('\u0000'.repeat(1_000_000), 5)).toBe('…');
  });
});

describe('jsonBytes', () => {
  it('counts what stands on the wire', () => {
    expect(jsonBytes({ a: 'é\n' })).toBe(Buffer.byteLength('{"a":"é\\n"}'));
  });
});
