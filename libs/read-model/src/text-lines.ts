/** A list with one item a line, null for none. Items have no line breaks: in JSON they are escaped. */
export function toLines(items: readonly string[]): string | null {
  return items.length === 0 ? null : items.join('\n');
}
