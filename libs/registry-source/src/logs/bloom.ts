import { keccak256, type Hex } from 'viem';
import type { LogFilter } from './log-filter';
import type { RawLog } from './raw-log';

const BITS = 2048;
const DIGITS = BITS / 4;
/** `0x` before the digits. */
const PREFIX = 2;

/** Which digit of a filter, and which of its bits, an address or topic sets: three times. */
function bitsOf(value: string): readonly (readonly [digit: number, mask: number])[] {
  const hash = keccak256(value as Hex).slice(PREFIX);
  return [0, 4, 8].map((at) => {
    const bit = Number.parseInt(hash.slice(at, at + 4), 16) % BITS;
    return [PREFIX + DIGITS - 1 - Math.floor(bit / 4), 1 << (bit % 4)] as const;
  });
}

type Bits = ReturnType<typeof bitsOf>;

function isSet(bloom: string, bits: Bits): boolean {
  return bits.every(([digit, mask]) => (Number.parseInt(bloom.charAt(digit), 16) & mask) !== 0);
}

/**
 * Looks in the bloom filters of blocks for what a filter for logs wants. A bloom filter may promise what is not there, but
 * never leaves out what is.
 */
export class BloomCheck {
  private readonly addresses: readonly Bits[];
  private readonly topics: readonly (readonly [topic: string, bits: Bits])[];
  private readonly fourth: Bits | undefined;

  constructor(filter: LogFilter) {
    this.addresses = filter.addresses.map(bitsOf);
    this.topics = filter.topics.map((topic) => [topic, bitsOf(topic)]);
    this.fourth = filter.fourthTopic === undefined ? undefined : bitsOf(filter.fourthTopic);
  }

  /** The first topics that the block seems to have and that none of these logs has. */
  missing(bloom: string, logs: readonly RawLog[]): readonly string[] {
    if (!this.addresses.some((bits) => isSet(bloom, bits))) return [];
    if (this.fourth !== undefined && !isSet(bloom, this.fourth)) return [];
    return this.topics.flatMap(([topic, bits]) =>
      isSet(bloom, bits) && !logs.some((log) => log.topics[0] === topic) ? [topic] : [],
    );
  }
}
