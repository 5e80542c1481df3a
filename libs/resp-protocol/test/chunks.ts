import fc from 'fast-check';

/** Cuts bytes at the given places (taken modulo the length); empty chunks included when places repeat. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...sorted, bytes.length];
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
}

/** One byte per chunk. */
export function drip(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

/** Places to cut at. */
export const anyPlaces = fc.array(fc.nat(), { maxLength: 12 });

/** Bytes that look like the protocol often enough to reach deep into a parser. */
export const protocolNoise = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '*',
        '$',
        '\r\n',
        '\r',
        '\n',
        '1',
        '2',
        '0',
        '-1',
        '99999999999',
        '+1',
        ' ',
        '3\r\n',
        '$3\r\nabc\r\n',
      ),
      fc.constantFrom(
        'PING',
        'SUBSCRIBE a b',
        '*1\r\n$4\r\nPING\r\n',
        '%1\r\n',
        '>2\r\n',
        '|1\r\n',
        '_\r\n',
        ':5\r\n',
        '{"a":1}\r\n',
      ),
      fc.constantFrom(
        '#t\r\n',
        ',1.5\r\n',
        '(12\r\n',
        '=7\r\ntxt:abc\r\n',
        '!3\r\nERR\r\n',
        '~1\r\n',
        '*-1\r\n',
        '$-1\r\n',
        '+OK\r\n',
      ),
      fc.string({ maxLength: 6, unit: 'binary' }),
    ),
    { maxLength: 40 },
  )
  .chain((parts) => fc.uint8Array({ maxLength: 8 }).map((raw) => Buffer.concat([Buffer.from(parts.join('')), raw])));
