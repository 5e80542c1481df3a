import type { PageReset } from '../../event-pages';

/** What a page of these doors says of itself. */
export interface PageMeta {
  readonly limit: number;
  readonly hasMore: boolean;
  /** Where the next page starts; absent on the last. */
  readonly nextCursor?: string;
  /** Some of what comes after the cursor that was sent is not kept any more. */
  readonly reset?: PageReset;
}

/** The items of a page that fit, and whether more follow. */
export interface FilledPage<T> {
  readonly items: readonly T[];
  /** The JSON of each. */
  readonly texts: readonly string[];
  readonly hasMore: boolean;
}

/**
 * Takes from what was found at most `limit` items, and no more than fit into `maxBytes` of JSON, but always one. One item
 * more than `limit` in `found` tells that there is a next page.
 */
export function fillPage<T>(
  found: readonly T[],
  limit: number,
  maxBytes: number,
  view: (item: T) => object,
): FilledPage<T> {
  const texts: string[] = [];
  let bytes = 0;
  for (const item of found.slice(0, limit)) {
    const text = JSON.stringify(view(item));
    bytes += Buffer.byteLength(text);
    if (texts.length > 0 && bytes > maxBytes) break;
    texts.push(text);
  }
  return { items: found.slice(0, texts.length), texts, hasMore: found.length > texts.length };
}

/** `{success, data, meta}` of a page, around items that are text already. */
export function pageBody(texts: readonly string[], meta: PageMeta): string {
  return `{"success":true,"data":[${texts.join(',')}],"meta":${JSON.stringify(meta)}}`;
}

/** `{success, data}` of one thing. */
export function itemBody(data: object): string {
  return JSON.stringify({ success: true, data });
}
