/** The text with every unpaired surrogate replaced, as an event has to be. */
export function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** At most so many characters, with a sign that it was cut; never half a pair of surrogates. */
export function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  // A character has at most two units, so no more of the text need be looked at.
  const characters = [...text.slice(0, maxCharacters * 2)];
  if (characters.length <= maxCharacters && text.length <= maxCharacters * 2) return text;
  return `${characters.slice(0, maxCharacters).join('')}…`;
}
