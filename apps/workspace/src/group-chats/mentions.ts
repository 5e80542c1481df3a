/** Whether a text speaks to one of the names: `@name`, whatever its case, and not only the beginning of another name. */
export function mentions(content: string, names: readonly string[]): boolean {
  const text = content.toLowerCase();
  return names.some((name) => name !== '' && holdsMention(text, `@${name.toLowerCase()}`));
}

function holdsMention(text: string, mention: string): boolean {
  for (let at = text.indexOf(mention); at !== -1; at = text.indexOf(mention, at + 1)) {
    if (!/^[\p{L}\p{N}_-]/u.test(text.slice(at + mention.length, at + mention.length + 2))) return true;
  }
  return false;
}
