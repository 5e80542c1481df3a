import { gzipSync } from 'node:zlib';

/** Parsed JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const LONG = 8_000;
/** More than the head of a request may have, or a line. */
const TOO_LONG = 40_000;
const DEEP = 20_000;
/** More than a small body may have. */
const LONG_TEXT = 66_000;
const MANY = 11_000;

/** Something hostile in an address: as it is written there, and what it says once it is decoded. */
export interface HostileText {
  readonly name: string;
  readonly mark: string;
  readonly raw: string;
  /** Undefined where the escapes are no UTF-8: nobody can say what it means. */
  readonly value: string | undefined;
}

/** Gives another text each time, which is found again wherever it is stored. */
export type NewMark = () => string;

type Made<T> = Readonly<Record<string, (mark: string) => T>>;

function make<T>(kinds: Made<T>, newMark: NewMark): readonly { name: string; mark: string; value: T }[] {
  return Object.entries(kinds).map(([name, kind]) => {
    const mark = newMark();
    return { name, mark, value: kind(mark) };
  });
}

const TEXTS: Made<string> = {
  empty: () => '',
  'a word': (mark) => mark,
  long: (mark) => `${mark}${'x'.repeat(LONG)}`,
  'longer than a head': (mark) => `${mark}${'x'.repeat(TOO_LONG)}`,
  NUL: (mark) => `${mark}%00`,
  'line break': (mark) => `${mark}%0d%0aset-cookie:%20x=1`,
  'no UTF-8': (mark) => `${mark}%ff%fe`,
  'half a character': (mark) => `${mark}%ed%a0%80`,
  'broken escape': (mark) => `${mark}%zz%`,
  'bidirectional text': (mark) => `${mark}%e2%80%ae%e2%80%a8%f0%9f%92%a3`,
  negative: () => '-1',
  fraction: () => '0.5',
  'no finite number': () => '1e999',
  'huge number': () => '9'.repeat(30),
  'greatest bigint and one': () => '9223372036854775808',
  'no number': () => 'NaN',
  hexadecimal: () => '0x10',
  prototype: () => '__proto__',
  quotes: (mark) => `${mark}'%22;--%20%60$(id)`,
  traversal: (mark) => `..%2f..%2f..%2f${mark}%00`,
  JSON: (mark) => `%7B%22${mark}%22%3A%5B%5D%7D`,
  'a time beyond time': () => '9999-99-99T99:99:99Z',
  'a cursor beyond the end': () => '1-00000000-99999999999999999999',
  'a cursor of nobody': () => '999999999-ffffffff--1',
};

/** What may stand for a parameter of the path or of the query. */
export function hostileTexts(newMark: NewMark): readonly HostileText[] {
  return make(TEXTS, newMark).map(({ name, mark, value: raw }) => ({ name, mark, raw, value: decode(raw) }));
}

const HEADERS: Made<readonly string[]> = {
  empty: () => [''],
  'a word': (mark) => [mark],
  long: (mark) => [`${mark}${'x'.repeat(LONG)}`],
  'longer than a head': (mark) => [`${mark}${'x'.repeat(TOO_LONG)}`],
  'no ASCII': (mark) => [`${mark}\u00e9\u00ff`],
  negative: () => ['-1'],
  'no finite number': () => ['1e999'],
  'huge number': () => ['9'.repeat(30)],
  prototype: () => ['__proto__'],
  quotes: (mark) => [`${mark}'";--\`$(id)`],
  'a cursor beyond the end': () => ['1-00000000-99999999999999999999'],
  twice: (mark) => [mark, `${mark}2`],
};

/** What may stand in a header. Several values are several headers of one name. */
export const hostileHeaders = (newMark: NewMark): readonly { name: string; mark: string; value: readonly string[] }[] =>
  make(HEADERS, newMark);

function decode(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

/** A body, and what its sender says of it. */
export interface HostileBody {
  readonly name: string;
  readonly mark: string;
  readonly bytes: string | Buffer;
  /** Refused whatever the schema says. */
  readonly isNoBody?: boolean;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const OTHER_TYPES = [
  'text/plain',
  'application/xml',
  'multipart/form-data',
  'application/json-seq',
  `x/${'x'.repeat(LONG)}`,
  '\u00e9',
];

/** Bodies that are wrong before anyone looks for fields in them. @param base a body that is right */
export function brokenBodies(base: Json, newMark: NewMark, contentType: string): readonly HostileBody[] {
  const text = JSON.stringify(base);
  const utf16 = { 'content-type': `${contentType}; charset=utf-16` };
  const kinds: Made<Omit<HostileBody, 'name' | 'mark' | 'headers'> & Partial<HostileBody>> = {
    nothing: () => ({ bytes: '', isNoBody: true }),
    'no JSON': (mark) => ({ bytes: `{"${mark}":`, isNoBody: true }),
    'two values': () => ({ bytes: `${text}${text}`, isNoBody: true }),
    'a list': (mark) => ({ bytes: JSON.stringify([1, mark]) }),
    'a text': (mark) => ({ bytes: JSON.stringify(mark) }),
    'a number': () => ({ bytes: '1e999' }),
    null: () => ({ bytes: 'null' }),
    'no UTF-8': (mark) => ({ bytes: Buffer.from(`{"${mark}\u00ff":1}`, 'latin1'), isNoBody: true }),
    'UTF-16': () => ({ bytes: Buffer.from(text, 'utf16le'), isNoBody: true, headers: utf16 }),
    'deep lists': () => ({ bytes: `${'['.repeat(DEEP)}${']'.repeat(DEEP)}` }),
    'deep objects': () => ({ bytes: `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}` }),
    wide: (mark) => ({ bytes: `{${Array.from({ length: MANY }, (_, n) => `"${mark}${n}":0`).join()}}` }),
    prototype: (mark) => ({ bytes: `{"__proto__":{"${mark}":1},"constructor":{"prototype":{"${mark}":1}}}` }),
    packed: () => ({ bytes: gzipSync(text), isNoBody: true, headers: { 'content-encoding': 'gzip' } }),
    'no type': () => ({ bytes: text, isNoBody: true, headers: { 'content-type': undefined } }),
    ...Object.fromEntries(
      OTHER_TYPES.map((type) => [
        `as ${type.slice(0, 24)}`,
        () => ({ bytes: text, isNoBody: true, headers: { 'content-type': type } }),
      ]),
    ),
  };
  return make(kinds, newMark).map(({ name, mark, value }) => ({
    name,
    mark,
    ...value,
    headers: { 'content-type': contentType, ...value.headers },
  }));
}

const STRAY = ['no JSON', 'no UTF-8', 'deep lists', 'prototype'];

/** Bodies where nobody asked for one. */
export const strayBodies = (newMark: NewMark): readonly HostileBody[] =>
  brokenBodies({}, newMark, 'application/json').filter(({ name }) => STRAY.includes(name));

/** Stands for what JSON has no value for, until the text is made. */
const INFINITE = '\u0001infinite';

/** What may stand in a field. */
const VALUES: Made<Json> = {
  null: () => null,
  true: () => true,
  negative: () => -1,
  fraction: () => 0.5,
  'huge number': () => 1e308,
  'no finite number': () => INFINITE,
  'no safe integer': () => 9_007_199_254_740_994,
  'empty text': () => '',
  text: (mark) => mark,
  'long text': (mark) => `${mark}${'x'.repeat(LONG_TEXT)}`,
  NUL: (mark) => `${mark}\u0000`,
  'half a character': (mark) => `${mark}\ud800`,
  'bidirectional text': (mark) => `${mark}\u202e\u2028\u0007`,
  'a time beyond time': () => '9999-99-99T99:99:99Z',
  'an address within': (mark) => `http://user:${mark}@169.254.169.254/`,
  'empty list': () => [],
  'long list': (mark) => Array.from({ length: 1_001 }, () => mark),
  'deep list': () => deep(2_000),
  'empty object': () => ({}),
  'unknown object': (mark) => ({ [mark]: { type: mark } }),
  // Made by its text: as a literal it would set the prototype.
  prototype: (mark) => JSON.parse(`{"__proto__":{"${mark}":1}}`) as Json,
};

/** Bodies in which one field is hostile, missing or nobody's. @param further fields that the base does not have */
export function hostileFields(
  base: Json,
  further: readonly string[],
  newMark: NewMark,
  contentType: string,
): readonly HostileBody[] {
  const own = pathsOf(base);
  const absent = isObject(base) ? further.filter((name) => !(name in base)).map((name) => [name]) : [];
  const headers = { 'content-type': contentType };
  return [...own, ...absent].flatMap((path) => {
    const kinds: Made<Json> = {
      ...Object.fromEntries(
        Object.entries(VALUES).map(([name, kind]) => [name, (mark) => withValue(base, path, kind(mark))]),
      ),
      ...(own.includes(path) && { missing: () => withValue(base, path, undefined) }),
      'something unknown beside it': (mark) => withValue(base, [...path.slice(0, -1), mark], mark),
    };
    return make(kinds, newMark).map(({ name, mark, value }) => ({
      name: `${path.join('.')}: ${name}`,
      mark,
      bytes: textOf(value),
      headers,
    }));
  });
}

function textOf(body: Json): string {
  return JSON.stringify(body).replaceAll(JSON.stringify(INFINITE), '1e999');
}

function deep(levels: number): Json {
  let value: Json = [];
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The places of all fields and members. */
function pathsOf(value: Json): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[name], ...pathsOf(inner).map((path) => [name, ...path])]);
}

/** A copy with another value at a place; undefined takes it away. */
function withValue(base: Json, [name, ...path]: readonly string[], value: Json | undefined): Json {
  if (name === undefined) return base;
  const copy = (Array.isArray(base) ? [...(base as Json[])] : { ...(base as object) }) as Record<string, Json>;
  if (path.length > 0) copy[name] = withValue(copy[name] ?? null, path, value);
  else if (value === undefined) delete copy[name];
  else copy[name] = value;
  return copy;
}
