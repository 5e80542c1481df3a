import type { EventEnvelope } from '../envelope';
import { toCloudEvent } from './cloud-event';
import { UNDECODABLE } from './undecodable';

/** Header names of the binary HTTP mode carry this prefix. */
export const CLOUD_EVENT_HEADER_PREFIX = 'ce-';

const STRUCTURED_MEDIA_TYPE = 'application/cloudevents+json';
const BATCH_MEDIA_TYPE = 'application/cloudevents-batch+json';

export type CloudEventMode = 'structured' | 'batch' | 'binary' | 'none';

/** Which CloudEvents HTTP mode a request uses, told by its content type and `ce-specversion`. */
export function cloudEventMode(contentType: string | undefined, specVersionHeader: string | undefined): CloudEventMode {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === STRUCTURED_MEDIA_TYPE) return 'structured';
  if (mediaType === BATCH_MEDIA_TYPE) return 'batch';
  return specVersionHeader === undefined ? 'none' : 'binary';
}

/**
 * Gathers the attributes of a binary-mode request with lower-case header names; the body is the data. What comes back is
 * to be checked with `cloudEventSchema`, which also rejects header values that could not be decoded.
 */
export function cloudEventFromHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  data: unknown,
): Record<string, unknown> {
  const attributes: Record<string, unknown> = { data };
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(CLOUD_EVENT_HEADER_PREFIX) || typeof value !== 'string') continue;
    const attribute = name.slice(CLOUD_EVENT_HEADER_PREFIX.length);
    if (attribute === 'data' || attribute === '__proto__') continue;
    attributes[attribute] = decodeHeaderValue(value);
  }
  const contentType = headers['content-type'];
  if (typeof contentType === 'string') attributes['datacontenttype'] = contentType;
  return attributes;
}

/** The headers of an envelope in binary mode; its body is the JSON of `data`. */
export function cloudEventHeaders(event: EventEnvelope): Record<string, string> {
  const { data: _, datacontenttype, ...attributes } = toCloudEvent(event);
  const headers: Record<string, string> = { 'content-type': datacontenttype };
  for (const [name, value] of Object.entries(attributes)) {
    headers[`${CLOUD_EVENT_HEADER_PREFIX}${name}`] = encodeHeaderValue(value);
  }
  return headers;
}

/** Percent-encodes, as UTF-8, what the binding asks for: blank, quote, percent sign, and all outside printable ASCII. */
function encodeHeaderValue(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent);
}

function decodeHeaderValue(value: string): string | typeof UNDECODABLE {
  const text = unquote(value);
  if (text === undefined) return UNDECODABLE;
  try {
    return decodeURIComponent(text);
  } catch {
    return UNDECODABLE;
  }
}

/** The value without the double quotes that older senders put around parts of it; undefined when one is left open. */
function unquote(value: string): string | undefined {
  if (!value.includes('"')) return value;
  let text = '';
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const character = value.charAt(i);
    if (character === '"') quoted = !quoted;
    else if (character === '\\' && quoted) text += value.charAt(++i);
    else text += character;
  }
  return quoted ? undefined : text;
}
