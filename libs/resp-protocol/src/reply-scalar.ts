import type { Reply } from './reply';

const MAX_BIG_NUMBER_DIGITS = 1024;
const INTEGER = /^[+-]?[0-9]{1,19}$/;
const DOUBLE = /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const SPECIAL_DOUBLES: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['nan', NaN],
]);

/** Reads a reply that is complete in one line; undefined when the text is not of its type. */
export function parseScalar(type: string, text: string): Reply | undefined {
  switch (type) {
    case '+':
      return { type: 'simple', value: text };
    case '-':
      return { type: 'error', value: text };
    case '{':
      return { type: 'event', value: `{${text}` };
    case '_':
      return text === '' ? { type: 'null', value: null } : undefined;
    case '#':
      return text === 't' || text === 'f' ? { type: 'boolean', value: text === 't' } : undefined;
    case ':':
      return INTEGER.test(text) ? { type: 'integer', value: toInteger(text) } : undefined;
    case '(':
      return /^[+-]?[0-9]+$/.test(text) && text.length <= MAX_BIG_NUMBER_DIGITS
        ? { type: 'big-number', value: toBigInt(text) }
        : undefined;
    case ',': {
      const value = SPECIAL_DOUBLES.get(text) ?? (DOUBLE.test(text) ? Number(text) : undefined);
      return value === undefined ? undefined : { type: 'double', value };
    }
    default:
      return undefined;
  }
}

function toInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : toBigInt(text);
}

function toBigInt(text: string): bigint {
  const magnitude = BigInt(text.replace(/^[+-]/, ''));
  return text.startsWith('-') ? -magnitude : magnitude;
}
