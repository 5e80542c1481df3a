import { z } from 'zod';

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1_000,
  mb: 1_000_000,
  gb: 1_000_000_000,
  kib: 1_024,
  mib: 1_048_576,
  gib: 1_073_741_824,
};

const BOOLEAN_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

/** Inclusive limits of a number; both optional. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** A schema that reads a value from text; `undefined` from `read` means that the text is not `expected`. */
function fromText<T>(expected: string, read: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string({ error: `expected ${expected}` }).transform((text, context) => {
    const value = read(text.trim());
    if (value === undefined) {
      context.addIssue({ code: 'custom', message: `expected ${expected}` });
      return z.NEVER;
    }
    return value;
  });
}

function describeRange(what: string, { min, max }: Range): string {
  if (min !== undefined && max !== undefined) return `${what} from ${min} to ${max}`;
  if (min !== undefined) return `${what} of at least ${min}`;
  if (max !== undefined) return `${what} of at most ${max}`;
  return what;
}

function withinRange(value: number, { min = -Infinity, max = Infinity }: Range): number | undefined {
  return Number.isFinite(value) && value >= min && value <= max ? value : undefined;
}

function readWithUnit(text: string, units: Readonly<Record<string, number>>, range: Range): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  if (!match) return undefined;
  const unit = (match[2] ?? '').toLowerCase();
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return factor === undefined ? undefined : withinRange(Math.round(Number(match[1]) * factor), range);
}

function integer(range: Range = {}): z.ZodType<number, string> {
  return fromText(describeRange('a whole number', range), (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) ? withinRange(value, range) : undefined;
  });
}

function port(): z.ZodType<number, string> {
  return fromText('a port number from 0 to 65535', (text) =>
    /^\d+$/.test(text) ? withinRange(Number(text), { min: 0, max: 65_535 }) : undefined,
  );
}

function durationMs(range: Range = {}): z.ZodType<number, string> {
  const expected = `${describeRange('a duration', range)} such as 500, 500ms, 30s, 5m, 2h or 1d (milliseconds without a unit)`;
  return fromText(expected, (text) => readWithUnit(text, DURATION_UNITS_MS, range));
}

function byteSize(range: Range = {}): z.ZodType<number, string> {
  const expected = `${describeRange('a size', range)} such as 1048576, 64KiB or 1MiB (bytes without a unit)`;
  return fromText(expected, (text) => readWithUnit(text, SIZE_UNITS_BYTES, range));
}

function boolean(): z.ZodType<boolean, string> {
  return fromText('true or false', (text) => BOOLEAN_WORDS.get(text.toLowerCase()));
}

function list(options: { readonly minItems?: number; readonly item?: RegExp } = {}): z.ZodType<string[], string> {
  const { minItems = 0, item } = options;
  const expected = minItems > 0 ? `a comma-separated list of at least ${minItems}` : 'a comma-separated list';
  return fromText(item ? `${expected}, each like ${item.source}` : expected, (text) => {
    const items = text.split(',').map((part) => part.trim());
    const present = items.filter((part) => part !== '');
    return present.length >= minItems && present.every((part) => item?.test(part) ?? true) ? present : undefined;
  });
}

function url(options: { readonly protocols?: readonly string[] } = {}): z.ZodType<string, string> {
  const { protocols } = options;
  const expected = protocols ? `a URL (${protocols.map((name) => `${name}://`).join(' or ')})` : 'a URL';
  return fromText(expected, (text) => {
    if (!URL.canParse(text)) return undefined;
    const protocol = new URL(text).protocol.slice(0, -1);
    return !protocols || protocols.includes(protocol) ? text : undefined;
  });
}

function oneOf<const T extends string>(values: readonly T[]): z.ZodType<T, string> {
  return fromText(`one of ${values.join(', ')}`, (text) => values.find((value) => value === text));
}

function text(options: { readonly minLength?: number; readonly pattern?: RegExp } = {}): z.ZodType<string, string> {
  const { minLength = 1, pattern } = options;
  const expected = minLength > 1 ? `text of at least ${minLength} characters` : 'text';
  return fromText(pattern ? `${expected} like ${pattern.source}` : expected, (value) =>
    value.length >= minLength && (pattern?.test(value) ?? true) ? value : undefined,
  );
}

/**
 * Schemas that read one setting from its text. Each states what it expects, so that a bad setting is told in the words
 * of its reader. `.optional()` makes a setting that may be absent.
 *
 * - `durationMs`: `500`, `500ms`, `30s`, `5m`, `2h`, `1d`; milliseconds. - `byteSize`: `1048576`, `64KiB`, `1MB`; bytes.
 * - `list`: comma separated, trimmed, empty items left out. - `url`: the text as given, checked to be a URL.
 */
export const setting = { integer, port, durationMs, byteSize, boolean, list, url, enum: oneOf, text } as const;
