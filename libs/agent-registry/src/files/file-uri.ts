import type { FileError } from './registration-file';
import { MAX_INLINE_FILE_BYTES } from './registration-file-limits';

/** What stands before the comma of a data: URI is no longer than this. */
const MAX_MEDIA_TYPE_LENGTH = 300;

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * The bytes of a file that stands in its URI (`data:`, in base64 or percent-encoded); undefined for every other URI. Never
 * throws; costs no more than `MAX_INLINE_FILE_BYTES` allows.
 */
export function inlineFile(uri: string): { readonly bytes: Uint8Array } | { readonly error: FileError } | undefined {
  if (!isInlineUri(uri)) return undefined;
  // Percent-encoding makes three characters of a byte.
  if (uri.length > MAX_INLINE_FILE_BYTES * 3)
    return { error: { code: 'too_large', message: `The URI holds more than ${MAX_INLINE_FILE_BYTES} bytes` } };
  const text = uri.trim();
  const comma = text.slice(0, MAX_MEDIA_TYPE_LENGTH).indexOf(',');
  if (comma < 0) return { error: { code: 'unsupported_uri', message: 'The data: URI has no comma' } };
  const parameters = text.slice('data:'.length, comma).toLowerCase().split(';');
  if (parameters.some((parameter) => parameter.trim().startsWith('enc=')))
    return { error: { code: 'unsupported_uri', message: 'The data: URI is compressed' } };
  const body = text.slice(comma + 1);
  const bytes = parameters.at(-1)?.trim() === 'base64' ? fromBase64(body) : fromPercentEncoding(body);
  if (bytes === undefined) return { error: { code: 'unsupported_uri', message: 'The data: URI is no base64' } };
  if (bytes.length > MAX_INLINE_FILE_BYTES)
    return { error: { code: 'too_large', message: `The URI holds more than ${MAX_INLINE_FILE_BYTES} bytes` } };
  return { bytes };
}

/** Whether the file stands in the URI itself. */
export function isInlineUri(uri: string): boolean {
  return /^\s*data:/i.test(uri);
}

/** Whether what is at a URI may change without the URI: it is read again on a schedule. */
export function isMutableUri(uri: string): boolean {
  return /^\s*https?:/i.test(uri);
}

function fromBase64(body: string): Uint8Array | undefined {
  const text = body.includes('%') ? percentDecoded(body) : body;
  const dense = text.replace(/\s+/g, '');
  return BASE64.test(dense) ? Buffer.from(dense, 'base64') : undefined;
}

function fromPercentEncoding(body: string): Uint8Array {
  return new TextEncoder().encode(percentDecoded(body));
}

/** Text that is not well encoded is what it is: many write JSON as it is into their URI. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
