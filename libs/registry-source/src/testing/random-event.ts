import type { AbiEvent, AbiParameter } from 'viem';
import { EVENT_ABI, type EventName, type EventValues } from './event-abi';

/** Numbers from 0 to 1 that are the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WORDS = [
  '',
  'starred',
  'Ünïcode ✓ 🦜',
  'https://agents.example/1.json',
  '\u0000',
  'a'.repeat(31),
  'b'.repeat(32),
  'x'.repeat(700),
];

function hex(random: () => number, bytes: number): string {
  let digits = '';
  for (let place = 0; place < bytes; place += 1)
    digits += Math.floor(random() * 256)
      .toString(16)
      .padStart(2, '0');
  return `0x${digits}`;
}

function number(random: () => number, bits: number, signed: boolean): bigint {
  const wide = BigInt.asUintN(bits, BigInt(hex(random, 32)));
  const value = random() < 0.5 ? wide : BigInt(Math.floor(random() * 3));
  return signed ? BigInt.asIntN(bits, random() < 0.5 ? value : -value) : value;
}

function valueOf(type: string, random: () => number): unknown {
  const word = WORDS[Math.floor(random() * WORDS.length)] ?? '';
  if (type === 'string') return word;
  if (type === 'bytes') return hex(random, Math.floor(random() * 70));
  if (type === 'bytes32') return hex(random, 32);
  if (type === 'address') return hex(random, 20);
  const bits = Number(type.replace(/^u?int/, ''));
  const value = number(random, bits, type.startsWith('int'));
  return bits <= 48 ? Number(value) : value;
}

/** Any values that an event can hold. */
export function randomValues(name: EventName, random: () => number): EventValues {
  const event: AbiEvent = EVENT_ABI[name];
  return Object.fromEntries(event.inputs.map((input: AbiParameter) => [input.name ?? '', valueOf(input.type, random)]));
}
