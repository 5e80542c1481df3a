const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const CONTROL = /\p{Cc}/u;

/** Strict UTF-8, undefined when invalid; a leading byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether the text holds a control character (C0, DEL or C1). */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}

/** Upper case for ASCII only: no foreign letter (such as the dotless i) turns into a command word. */
export function toAsciiUpperCase(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** A length as RESP writes it: digits only, no sign, no leading zero, at most ten digits. Undefined otherwise. */
export function parseLength(digits: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(digits) ? Number(digits) : undefined;
}
