import { EncodeError } from './encode-error';

/** RESP protocol version of a connection; 2 until the client says HELLO 3. */
export type RespVersion = 2 | 3;

/** What a confirmation confirms. */
export type SubscriptionKind = 'subscribe' | 'unsubscribe' | 'psubscribe' | 'punsubscribe';

/** Longest text of a simple string or an error, in UTF-16 units; longer texts are cut. */
export const MAX_STATUS_LENGTH = 1024;

/** One line for the wire: control characters, CR and LF among them, become a blank; cut at {@link MAX_STATUS_LENGTH}. */
export function toStatusText(text: string): string {
  return text.slice(0, MAX_STATUS_LENGTH).replace(/\p{Cc}+/gu, ' ');
}

/** `+text` */
export function encodeSimple(text: string): Buffer {
  return Buffer.from(`+${toStatusText(text)}\r\n`);
}

/** `-CODE text`; a code that is not a word of capitals, such as `NOAUTH`, becomes `ERR`. */
export function encodeError(text: string, code = 'ERR'): Buffer {
  return Buffer.from(`-${/^[A-Z][A-Z0-9]{0,31}$/.test(code) ? code : 'ERR'} ${toStatusText(text)}\r\n`);
}

/** `:n`. Throws {@link EncodeError} when `n` is not a safe integer or a bigint. */
export function encodeInteger(n: number | bigint): Buffer {
  if (typeof n === 'number' && !Number.isSafeInteger(n)) throw new EncodeError('not-an-integer');
  return Buffer.from(`:${n}\r\n`);
}

/** `$length` and the bytes, whatever they are. */
export function encodeBulk(value: string | Uint8Array): Buffer {
  return concat(bulkParts(value));
}

/** Null: `$-1` in RESP2, `_` in RESP3. */
export function encodeNull(version: RespVersion): Buffer {
  return Buffer.from(version === 3 ? '_\r\n' : '$-1\r\n');
}

/** An array of items that are encoded already. */
export function encodeArray(items: readonly Uint8Array[]): Buffer {
  return concat([`*${items.length}\r\n`, ...items]);
}

/** An out-of-band message of items that are encoded already: a push in RESP3, an array in RESP2. */
export function encodePush(version: RespVersion, items: readonly Uint8Array[]): Buffer {
  return concat([pushHeader(version, items.length), ...items]);
}

/** A map of keys and values that are encoded already: a flat array in RESP2. */
export function encodeMap(version: RespVersion, entries: readonly (readonly [Uint8Array, Uint8Array])[]): Buffer {
  const header = version === 3 ? `%${entries.length}\r\n` : `*${entries.length * 2}\r\n`;
  return concat([header, ...entries.flat()]);
}

/** A published message. The bytes do not depend on the subscriber: encode once per version, write to all. */
export function encodeMessage(version: RespVersion, channel: string, payload: string | Uint8Array): Buffer {
  return concat([pushHeader(version, 3), '$7\r\nmessage\r\n', ...bulkParts(channel), ...bulkParts(payload)]);
}

/** A published message for a pattern subscription. */
export function encodePatternMessage(
  version: RespVersion,
  pattern: string,
  channel: string,
  payload: string | Uint8Array,
): Buffer {
  return concat([
    pushHeader(version, 4),
    '$8\r\npmessage\r\n',
    ...bulkParts(pattern),
    ...bulkParts(channel),
    ...bulkParts(payload),
  ]);
}

/** Confirms a subscription change; `channel` is null when everything was unsubscribed and there was nothing. */
export function encodeSubscription(
  version: RespVersion,
  kind: SubscriptionKind,
  channel: string | null,
  subscriptionCount: number,
): Buffer {
  const name = channel === null ? encodeNull(version) : encodeBulk(channel);
  return encodePush(version, [encodeBulk(kind), name, encodeInteger(subscriptionCount)]);
}

/** The answer to PING. A subscribed RESP2 connection can only be answered by an array. */
export function encodePong(version: RespVersion, subscribed: boolean, message?: string): Buffer {
  if (subscribed && version === 2) return encodeArray([encodeBulk('pong'), encodeBulk(message ?? '')]);
  return message === undefined ? encodeSimple('PONG') : encodeBulk(message);
}

function pushHeader(version: RespVersion, size: number): string {
  return `${version === 3 ? '>' : '*'}${size}\r\n`;
}

function bulkParts(value: string | Uint8Array): (string | Uint8Array)[] {
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
  return [`$${length}\r\n`, value, '\r\n'];
}

function concat(parts: readonly (string | Uint8Array)[]): Buffer {
  if (parts.every((part) => typeof part === 'string')) return Buffer.from(parts.join(''));
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
