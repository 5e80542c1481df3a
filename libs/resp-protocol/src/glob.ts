/** Longest pattern in UTF-16 units. Matching takes at most (pattern length × text length) steps. */
export const MAX_GLOB_LENGTH = 256;

/** Tells whether the whole text matches the pattern it was compiled from. */
export type GlobMatcher = (text: string) => boolean;

type Token = '*' | ((character: string) => boolean);

/**
 * Compiles a PSUBSCRIBE pattern: `*` any text, `?` one character, `[abc]`, `[a-c]`, `[^x]`, and `\` takes the next character as it is.
 * A class that is not closed reaches to the end of the pattern; a `\` at the very end stands for itself.
 * Undefined when the pattern is longer than {@link MAX_GLOB_LENGTH}.
 */
export function compileGlob(pattern: string): GlobMatcher | undefined {
  if (pattern.length > MAX_GLOB_LENGTH) return undefined;
  const tokens = tokenize([...pattern]);
  return (text) => matches(tokens, [...text]);
}

/** Only the last star is ever reconsidered: an earlier one cannot help, so there is no exponential search. */
function matches(tokens: readonly Token[], text: readonly string[]): boolean {
  let token = 0;
  let retryToken = -1;
  let retryText = 0;
  let at = 0;
  while (at < text.length) {
    const current = tokens[token];
    if (current === '*') {
      retryToken = ++token;
      retryText = at;
    } else if (current?.(text[at] ?? '')) {
      token++;
      at++;
    } else {
      if (retryToken < 0) return false;
      token = retryToken;
      at = ++retryText;
    }
  }
  while (tokens[token] === '*') token++;
  return token === tokens.length;
}

function tokenize(pattern: readonly string[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at++] ?? '';
    if (character === '*') {
      if (tokens[tokens.length - 1] !== '*') tokens.push('*');
    } else if (character === '?') {
      tokens.push(() => true);
    } else if (character === '[') {
      const parsed = parseClass(pattern, at);
      tokens.push(parsed.token);
      at = parsed.next;
    } else {
      const literal = character === '\\' ? (pattern[at++] ?? character) : character;
      tokens.push((candidate) => candidate === literal);
    }
  }
  return tokens;
}

/** Reads a class from just behind its `[` to just behind its `]`. */
function parseClass(pattern: readonly string[], from: number): { token: Token; next: number } {
  const negated = pattern[from] === '^';
  const ranges: (readonly [low: number, high: number])[] = [];
  let at = negated ? from + 1 : from;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
    const first = codePoint(pattern[at++]);
    let last = first;
    if (pattern[at] === '-' && at + 1 < pattern.length && pattern[at + 1] !== ']') {
      at++;
      if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
      last = codePoint(pattern[at++]);
    }
    ranges.push([Math.min(first, last), Math.max(first, last)]);
  }
  const token: Token = (character) => {
    const code = codePoint(character);
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
  };
  return { token, next: at + 1 };
}

function codePoint(character: string | undefined): number {
  return character?.codePointAt(0) ?? 0;
}
