import fc from 'fast-check';
import { compileGlob, MAX_GLOB_LENGTH } from './glob';

function matches(pattern: string, text: string): boolean | undefined {
  return compileGlob(pattern)?.(text);
}

/** Plain statement of what `*`, `?` and letters mean, by dynamic programming. */
function expected(pattern: string, text: string): boolean {
  let row = [true, ...Array.from(text, () => false)];
  for (const p of pattern) {
    const next = [p === '*' && row[0] === true];
    for (let i = 1; i <= text.length; i++) {
      next.push(
        p === '*' ? row[i] === true || next[i - 1] === true : row[i - 1] === true && (p === '?' || p === text[i - 1]),
      );
    }
    row = next;
  }
  return row[text.length] === true;
}

describe('compileGlob', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['**', 'anything', true],
    ['sandbox-*', 'sandbox-1', true],
    ['sandbox-*', 'Sandbox-1', false],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['?', '😀', true],
    ['h[ae]llo', 'hallo', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hello', false],
    ['h[^e]llo', 'hallo', true],
    ['h[a-c]llo', 'hbllo', true],
    ['h[c-a]llo', 'hbllo', true],
    ['h[a-c]llo', 'hdllo', false],
    ['[a-c-]', '-', true],
    ['[\\]]', ']', true],
    ['[\\a-\\c]', 'b', true],
    ['[a', 'a', true],
    ['[', 'a', false],
    ['[]', ']', false],
    ['[^]', 'a', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\', 'a\\', true],
    ['a.c', 'abc', false],
    ['*a*b', 'xxaxxbxb', true],
    ['*a*b', 'xxaxxbxbc', false],
  ])('%j on %j is %s', (pattern, text, result) => {
    expect(matches(pattern, text)).toBe(result);
  });

  it('agrees with the plain statement of the rules', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 10 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (p, t) => expect(matches(p, t)).toBe(expected(p, t))),
      { numRuns: 3000 },
    );
  });

  it('matches any text that is fully escaped, and only it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '*', '?', '[', ']', '\\', '-', '^', '€'), maxLength: 20 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const escaped = [...a].map((character) => `\\${character}`).join('');
        expect(matches(escaped, b)).toBe(a === b);
      }),
    );
  });

  it('never throws on any pattern', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'binary' }), (p, t) => {
        expect(matches(p, t) === undefined).toBe(p.length > MAX_GLOB_LENGTH);
      }),
    );
  });

  it('agrees with the plain statement of the rules where the pattern is longer than a machine word', () => {
    const token = fc.constantFrom('a', 'b', '*', '?', 'ab*', '*?');
    const pattern = fc.array(token, { minLength: 20, maxLength: 42 }).map((tokens) => tokens.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 20, maxLength: 120 });
    fc.assert(
      fc.property(pattern, text, (p, t) => expect(matches(p, t)).toBe(expected(p, t))),
      { numRuns: 1000 },
    );
    for (let length = 0; length <= MAX_GLOB_LENGTH; length++) {
      expect(matches('?'.repeat(length), 'x'.repeat(length))).toBe(true);
      expect(matches('?'.repeat(length), 'x'.repeat(length + 1))).toBe(false);
      expect(matches('x'.repeat(length), 'x'.repeat(length - 1 < 0 ? 1 : length - 1))).toBe(false);
    }
  });

  it.each([
    [`${'*a'.repeat(63)}*b`, false],
    [`${'a*'.repeat(63)}b`, false],
    [`${'*[a-b]?'.repeat(18)}c`, false],
    [`*[${'b'.repeat(62)}a]${'a'.repeat(60)}y`, false],
    ['*'.repeat(MAX_GLOB_LENGTH), true],
  ])('reads each character of a text once, where a search would go back and forth: %s', (pattern, isMatch) => {
    const text = `${'a'.repeat(20_000)}z`;
    const read = jest.spyOn(String.prototype, 'codePointAt');
    try {
      const glob = compileGlob(pattern);
      read.mockClear();
      expect(glob?.(text)).toBe(isMatch);
      expect(read).toHaveBeenCalledTimes(text.length);
    } finally {
      read.mockRestore();
    }
  });

  it('refuses patterns that are too long', () => {
    expect(compileGlob('a'.repeat(MAX_GLOB_LENGTH + 1))).toBeUndefined();
  });
});
