/** Longest pattern in UTF-16 units. Matching takes at most (text length × pattern length / 32) steps, and never backtracks. */
export const MAX_GLOB_LENGTH = 128;

/** Tells whether the whole text matches the pattern it was compiled from. */
export type GlobMatcher = (text: string) => boolean;

type Range = readonly [low: number, high: number];

/** One character of the text, and whether any text may stand before it. */
interface Token {
  readonly ranges: readonly Range[];
  readonly negated: boolean;
  readonly afterStar: boolean;
}

const WORD_BITS = 32;
const ANY: readonly Range[] = [[0, 0x10ffff]];

/**
 * Compiles a PSUBSCRIBE pattern: `*` any text, `?` one character, `[abc]`, `[a-c]`, `[^x]`, and `\` takes the next character as it is.
 * A class that is not closed reaches to the end of the pattern; a `\` at the very end stands for itself.
 * Undefined when the pattern is longer than {@link MAX_GLOB_LENGTH}.
 */
export function compileGlob(pattern: string): GlobMatcher | undefined {
  if (pattern.length > MAX_GLOB_LENGTH) return undefined;
  const { tokens, endsWithStar } = tokenize([...pattern]);
  const machine = new GlobMachine(tokens, endsWithStar);
  return (text) => machine.matches(text);
}

/**
 * All ways to match at once, a bit each: bit `n` says that the text so far matches the first `n` tokens. A character
 * moves all bits together, so no text takes longer than another of its length.
 */
class GlobMachine {
  private readonly wordCount: number;
  /** Bits that stay whatever comes: those before a star. */
  private readonly stays: Uint32Array;
  /** First code points of the ranges that no token tells apart, ascending from 0. */
  private readonly starts: Uint32Array;
  /** For each of these ranges, the bits that its characters move on. */
  private readonly moves: Uint32Array;
  private readonly state: Uint32Array;

  constructor(
    private readonly tokens: readonly Token[],
    endsWithStar: boolean,
  ) {
    this.wordCount = Math.floor(tokens.length / WORD_BITS) + 1;
    this.stays = new Uint32Array(this.wordCount);
    this.state = new Uint32Array(this.wordCount);
    const edges = tokens.flatMap(({ ranges }) => ranges.flatMap(([low, high]) => [low, high + 1]));
    this.starts = Uint32Array.from(new Set([0, ...edges])).sort();
    this.moves = new Uint32Array(this.starts.length * this.wordCount);
    tokens.forEach((token, index) => {
      if (token.afterStar) setBit(this.stays, 0, index);
      this.starts.forEach((start, range) => {
        if (accepts(token, start)) setBit(this.moves, range * this.wordCount, index);
      });
    });
    if (endsWithStar) setBit(this.stays, 0, tokens.length);
  }

  matches(text: string): boolean {
    const { state, stays, moves, wordCount } = this;
    state.fill(0);
    state[0] = 1;
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at) ?? 0;
      at += code > 0xffff ? 2 : 1;
      const from = this.rangeOf(code) * wordCount;
      let carry = 0;
      let alive = 0;
      for (let word = 0; word < wordCount; word++) {
        const bits = state[word] ?? 0;
        const moving = bits & (moves[from + word] ?? 0);
        const next = (bits & (stays[word] ?? 0)) | (moving << 1) | carry;
        state[word] = next;
        carry = moving >>> (WORD_BITS - 1);
        alive |= next;
      }
      if (alive === 0) return false;
    }
    const last = this.tokens.length;
    return (((state[Math.floor(last / WORD_BITS)] ?? 0) >>> (last % WORD_BITS)) & 1) === 1;
  }

  private rangeOf(code: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.starts[middle] ?? 0) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function setBit(words: Uint32Array, from: number, bit: number): void {
  const word = from + Math.floor(bit / WORD_BITS);
  words[word] = (words[word] ?? 0) | (1 << (bit % WORD_BITS));
}

function accepts({ ranges, negated }: Token, code: number): boolean {
  return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
}

function tokenize(pattern: readonly string[]): { tokens: readonly Token[]; endsWithStar: boolean } {
  const tokens: Token[] = [];
  let afterStar = false;
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at++] ?? '';
    if (character === '*') {
      afterStar = true;
      continue;
    }
    if (character === '?') {
      tokens.push({ ranges: ANY, negated: false, afterStar });
    } else if (character === '[') {
      const parsed = parseClass(pattern, at);
      tokens.push({ ...parsed.set, afterStar });
      at = parsed.next;
    } else {
      const code = codePoint(character === '\\' ? (pattern[at++] ?? character) : character);
      tokens.push({ ranges: [[code, code]], negated: false, afterStar });
    }
    afterStar = false;
  }
  return { tokens, endsWithStar: afterStar };
}

/** Reads a class from just behind its `[` to just behind its `]`. */
function parseClass(pattern: readonly string[], from: number): { set: Omit<Token, 'afterStar'>; next: number } {
  const negated = pattern[from] === '^';
  const ranges: Range[] = [];
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
  return { set: { ranges, negated }, next: at + 1 };
}

function codePoint(character: string | undefined): number {
  return character?.codePointAt(0) ?? 0;
}
