import fc from 'fast-check';

/** Cuts bytes or text at the given places (taken modulo the length); empty chunks included when places repeat. */
export function cut<T extends Uint8Array | string>(whole: T, places: readonly number[]): (Uint8Array | string)[] {
  const sorted = places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...sorted, whole.length];
  return edges.slice(1).map((end, index) => whole.slice(edges[index], end));
}

/** Places to cut at. */
export const anyPlaces = fc.array(fc.nat(), { maxLength: 12 });

/** The text as it comes through UTF-8: lone surrogates are replaced. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** Text that looks like an event stream often enough to reach every rule. */
export const streamNoise = fc
  .array(
    fc.oneof(
      fc.constantFrom('data', 'id', 'event', 'retry', ':', ': ', '\n', '\r', '\r\n', '\n\n', '\0', '\ufeff', '5', ' '),
      fc.constantFrom('data: x\n\n', 'id: 7\n', 'id: 8\n\n', 'event: e\r', 'retry: 10\n', ': hi\n', 'é€😀'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => wellFormed(parts.join('')));
