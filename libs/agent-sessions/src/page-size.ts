/** Most bytes of JSON of one page of a list; a page has one thing at least, however large that is. */
export const MAX_LISTED_BYTES = 8 * 1024 * 1024;

/** What is in one page of all that is listed, and whether there is more. */
export function pageOf<T>(
  listed: readonly T[],
  limit: number,
  stored: (one: T) => unknown,
): { readonly page: readonly T[]; readonly hasMore: boolean } {
  let bytes = 0;
  let count = 0;
  for (const one of listed.slice(0, limit)) {
    bytes += Buffer.byteLength(JSON.stringify(stored(one)));
    if (count > 0 && bytes > MAX_LISTED_BYTES) break;
    count++;
  }
  return { page: listed.slice(0, count), hasMore: listed.length > count };
}
