const WORD_BYTES = 32;
const WORD_DIGITS = 2 * WORD_BYTES;

const ZEROS = '0'.repeat(WORD_DIGITS);
const ONES = 'f'.repeat(WORD_DIGITS);
const NO_WORD = ZEROS;
const UNUSED_OF_ADDRESS = '0'.repeat(24);
const UNUSED_OF_UINT64 = '0'.repeat(48);
const UNUSED_OF_SMALL = '0'.repeat(52);
const UNUSED_OF_UINT8 = '0'.repeat(62);

/** Dynamic values may point to the same bytes; together they may be this many times as long as the data. */
const MAX_READ_FACTOR = 2;

/** Where the bytes of a text are put before it is made of them: most are short, and there are several in a log. */
const scratch = Buffer.alloc(4096);

/** Largest offset or length that is looked at: 28 bits. */
const SIZE_DIGITS = 7;
const UNUSED_OF_SIZE = '0'.repeat(WORD_DIGITS - SIZE_DIGITS);

/**
 * Reads ABI-encoded values out of hexadecimal text. It never throws and never reads outside of the data: the first value that
 * is not there, or not of its type, makes `failed` true for good, and what is returned from then on means nothing.
 */
export class AbiReader {
  failed = false;
  private readonly end: number;
  private budget: number;

  /** `hex` is 0x and an even number of lower-case digits; offsets of dynamic values count from `start`, in digits. */
  constructor(
    private readonly hex: string,
    private readonly start = 2,
    end = hex.length,
  ) {
    this.end = end;
    this.budget = MAX_READ_FACTOR * (end - start);
  }

  /** The word at this place, as 64 digits. */
  word(index: number): string {
    return this.digits(this.start + index * WORD_DIGITS, WORD_DIGITS);
  }

  bytes32(index: number): string {
    return `0x${this.word(index)}`;
  }

  address(index: number): string {
    return addressOf(this.word(index)) ?? this.fail('');
  }

  /** A number of up to 64 bits, as decimal text. */
  uint64(index: number): string {
    return uint64Of(this.word(index)) ?? this.fail('');
  }

  uint8(index: number): number {
    const word = this.word(index);
    return word.startsWith(UNUSED_OF_UINT8) ? Number.parseInt(word.slice(62), 16) : this.fail(0);
  }

  uint256(index: number): string {
    return decimalOf(this.word(index));
  }

  /** A signed number of up to `bits` bits, as decimal text. */
  signed(index: number, bits: 128 | 256): string {
    const word = this.word(index);
    const unused = WORD_DIGITS - bits / 4;
    const negative = word.charCodeAt(unused) >= 56;
    if (!word.startsWith((negative ? ONES : ZEROS).slice(0, unused))) return this.fail('');
    return negative ? BigInt.asIntN(256, BigInt(`0x${word}`)).toString() : decimalOf(word);
  }

  /** The text whose offset stands at this place. Bytes that are no UTF-8 become U+FFFD. */
  text(index: number): string {
    return textOfDigits(this.dynamic(index));
  }

  /** The bytes whose offset stands at this place: 0x and digits. */
  bytes(index: number): string {
    return `0x${this.dynamic(index)}`;
  }

  /** The texts of an array, of which there may be `maxLength`. */
  texts(index: number, maxLength: number): readonly string[] {
    const at = this.start + 2 * this.size(this.start + index * WORD_DIGITS);
    const length = this.size(at);
    const first = at + WORD_DIGITS;
    if (this.failed || length > maxLength || first + length * WORD_DIGITS > this.end) return this.fail([]);
    const nested = new AbiReader(this.hex, first, this.end);
    nested.budget = this.budget;
    const texts: string[] = [];
    for (let place = 0; place < length && !nested.failed; place += 1) texts.push(nested.text(place));
    this.budget = nested.budget;
    return nested.failed ? this.fail([]) : texts;
  }

  /** The tuple whose offset stands at this place. */
  tuple(index: number): AbiReader {
    const at = this.start + 2 * this.size(this.start + index * WORD_DIGITS);
    const inner = new AbiReader(this.hex, Math.min(at, this.end), this.end);
    inner.failed = this.failed || at > this.end;
    return inner;
  }

  private dynamic(index: number): string {
    const at = this.start + 2 * this.size(this.start + index * WORD_DIGITS);
    const length = 2 * this.size(at);
    this.budget -= length;
    return this.budget < 0 ? this.fail('') : this.digits(at + WORD_DIGITS, length);
  }

  /** An offset or length in bytes, at most as many as there are. */
  private size(at: number): number {
    if (this.failed || at + WORD_DIGITS > this.end || !this.hex.startsWith(UNUSED_OF_SIZE, at)) return this.fail(0);
    let size = 0;
    for (let place = at + UNUSED_OF_SIZE.length; place < at + WORD_DIGITS; place += 1) {
      // Digits are those of 0 to 9 and a to f.
      const code = this.hex.charCodeAt(place);
      size = 16 * size + (code < 58 ? code - 48 : code - 87);
    }
    return 2 * size <= this.end ? size : this.fail(0);
  }

  private digits(at: number, length: number): string {
    if (this.failed || at + length > this.end) return this.fail(length === WORD_DIGITS ? NO_WORD : '');
    return this.hex.slice(at, at + length);
  }

  private fail<T>(value: T): T {
    this.failed = true;
    return value;
  }
}

/** A number of 256 bits as decimal text. */
export function decimalOf(word: string): string {
  // Most numbers are small, and a number is faster than a BigInt.
  return word.startsWith(UNUSED_OF_SMALL)
    ? String(Number.parseInt(word.slice(52), 16))
    : BigInt(`0x${word}`).toString();
}

/** A number of up to 64 bits as decimal text; undefined where the word holds more than that. */
export function uint64Of(word: string): string | undefined {
  return word.startsWith(UNUSED_OF_UINT64) ? decimalOf(word) : undefined;
}

/** The address in a word; undefined where the word holds more than that. */
export function addressOf(word: string): string | undefined {
  return word.startsWith(UNUSED_OF_ADDRESS) ? `0x${word.slice(24)}` : undefined;
}

/** The text of a `bytes32`, which ends where only zeros follow. */
export function textOfBytes32(word: string): string {
  let end = word.length;
  while (end > 0 && word.endsWith('00', end)) end -= 2;
  return textOfDigits(word.slice(0, end));
}

/** The text that these bytes are in UTF-8. */
function textOfDigits(digits: string): string {
  if (digits === '') return '';
  if (digits.length > 2 * scratch.length) return Buffer.from(digits, 'hex').toString('utf8');
  return scratch.toString('utf8', 0, scratch.write(digits, 'hex'));
}
