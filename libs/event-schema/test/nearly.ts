import fc from 'fast-check';
import { HOSTILE_NAMES } from './arbitraries';

type Json = ReturnType<typeof JSON.parse>;

/** Where a value has members, from the top down. */
function placesOf(value: Json, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.keys(value).map((key) => [...path, key]);
  return [...own, [...path, 'extra'], ...own.flatMap((place) => placesOf(value[place.at(-1) ?? ''], place))];
}

function changed(value: Json, [key = '', ...rest]: readonly string[], replacement: unknown): Json {
  if (Array.isArray(value)) return value.map((item, n) => (String(n) === key ? within(item, rest, replacement) : item));
  const others = Object.entries(value).filter(([name]) => name !== key);
  const next = within(value[key], rest, replacement);
  return Object.fromEntries(next === undefined ? others : [...others, [key, next]]);
}

const within = (value: Json, rest: readonly string[], replacement: unknown): Json =>
  rest.length === 0 ? replacement : changed(value, rest, replacement);

const replacement = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    ...HOSTILE_NAMES,
    undefined,
    null,
    '',
    'a\r\nb',
    '\ud800',
    '🐚🐚',
    'x'.repeat(501),
    'y'.repeat(4_097),
  ),
  fc.constantFrom(0, -1, 1.5, 101, 1e21, Number.MAX_SAFE_INTEGER, 253_402_300_800_000),
  fc.constantFrom<unknown>(true, [], {}, ['a', 7], ['a b'], 'todo', 'success', 'all', '1:2', '0x12'),
);

/** A sample with one of its members, of any depth, replaced, removed or added. */
export function nearly(sample: unknown): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...placesOf(sample)), replacement)
    .map(([place, value]) => JSON.parse(JSON.stringify(changed(sample, place, value))) as unknown);
}
