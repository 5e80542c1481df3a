/** What a terminal may act on: control characters, those that change the direction of text, and line ends. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text without anything that a terminal would act on: control characters are shown as their numbers. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return `\\u{${codePoint.toString(16)}}`;
  });
}

/** The same for JSON, by its own escapes: what is parsed of it does not change. */
export function printableJson(json: string): string {
  return json.replaceAll(UNPRINTABLE, (characters) => {
    // Outside of strings, where no escape may stand.
    if (/[\t\n\r]/.test(characters)) return ' ';
    return characters
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('');
  });
}

const CODES = { dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Colour = keyof typeof CODES;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

export function painter(isColoured: boolean): Paint {
  return (colour, text) => (isColoured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}
