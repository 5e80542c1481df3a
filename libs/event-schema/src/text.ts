import { z } from 'zod';

const UNPAIRED_SURROGATE = /\p{Cs}/u;

/** What an unpaired surrogate is to JSON Schema. */
const WELL_FORMED = '^\\P{Cs}*$';

/**
 * Text that people or programs wrote: any characters, line breaks and control characters too, but whole ones, because
 * half a surrogate pair has no UTF-8. The maximum counts Unicode characters, as JSON Schema does.
 */
export function textSchema(maxCharacters: number): z.ZodString {
  return z
    .string()
    .refine((text) => !UNPAIRED_SURROGATE.test(text) && isWithin(text, maxCharacters), {
      error: `must have at most ${maxCharacters} characters and no unpaired surrogate`,
    })
    .meta({ maxLength: maxCharacters, pattern: WELL_FORMED });
}

/** Counts only where the count can differ from the length: a character has one or two units of UTF-16. */
function isWithin(text: string, maxCharacters: number): boolean {
  if (text.length <= maxCharacters) return true;
  if (text.length > maxCharacters * 2) return false;
  let characters = 0;
  for (const _character of text) if (++characters > maxCharacters) return false;
  return true;
}
