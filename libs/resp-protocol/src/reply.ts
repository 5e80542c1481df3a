/** One reply of a server, of any RESP2 or RESP3 type; `event` is a JSON line of the line dialect. */
export type Reply =
  | { readonly type: 'simple'; readonly value: string }
  | { readonly type: 'error'; readonly value: string }
  | { readonly type: 'event'; readonly value: string }
  | { readonly type: 'integer'; readonly value: number | bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'big-number'; readonly value: bigint }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null'; readonly value: null }
  | { readonly type: 'bulk'; readonly value: Buffer }
  | { readonly type: 'verbatim'; readonly format: string; readonly value: string }
  | { readonly type: 'array' | 'set' | 'push'; readonly value: readonly Reply[] }
  | { readonly type: 'map'; readonly value: readonly (readonly [Reply, Reply])[] };

/** A reply as plain JavaScript. */
export type PlainReply = string | number | bigint | boolean | null | Error | PlainReply[] | Map<PlainReply, PlainReply>;

/** Bulk strings become text (UTF-8), errors `Error` objects, sets and pushes arrays, maps `Map`s. */
export function toPlainReply(reply: Reply): PlainReply {
  switch (reply.type) {
    case 'error':
      return new Error(reply.value);
    case 'bulk':
      return reply.value.toString('utf8');
    case 'array':
    case 'set':
    case 'push':
      return reply.value.map(toPlainReply);
    case 'map':
      return new Map(reply.value.map(([key, value]) => [toPlainReply(key), toPlainReply(value)]));
    default:
      return reply.value;
  }
}
