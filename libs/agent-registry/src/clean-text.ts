/** Control characters other than tab and line breaks, and halves of surrogate pairs. */
const UNCLEAN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\p{Cs}]/u;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
const HALF_PAIRS = /\p{Cs}/gu;

/**
 * Text of anybody's as events carry it: without control characters, well-formed, and of at most `maxCharacters` Unicode
 * characters; what is longer is cut and ends in `…`.
 */
export function cleanText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters && !UNCLEAN.test(text)) return text;
  // No more is looked at than can be left, so that an endless text costs no more than a long one.
  const looked = text.length > maxCharacters * 8 ? text.slice(0, maxCharacters * 8) : text;
  const clean = looked.replace(CONTROLS, '').replace(HALF_PAIRS, '\ufffd');
  return cut(clean, maxCharacters, looked.length < text.length);
}

function cut(text: string, maxCharacters: number, isCutAlready: boolean): string {
  if (text.length <= maxCharacters && !isCutAlready) return text;
  let characters = 0;
  let end = 0;
  let keptEnd = 0;
  for (const character of text) {
    if (++characters > maxCharacters) return `${text.slice(0, keptEnd)}…`;
    end += character.length;
    if (characters < maxCharacters) keptEnd = end;
  }
  return isCutAlready ? `${text.slice(0, keptEnd)}…` : text;
}

/** How many bytes the JSON of a value has in UTF-8. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}
