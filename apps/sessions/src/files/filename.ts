const MAX_FILENAME_LENGTH = 500;

/** The last part of a path: what comes before is of the sender's own machine. */
export function lastNameOf(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? '';
}

/** What keeps a name from being that of a file; undefined when nothing does. */
export function faultOfFilename(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'has no filename';
  if (name.length > MAX_FILENAME_LENGTH) return `has a filename of more than ${MAX_FILENAME_LENGTH}`;
  if (/\p{Cc}/u.test(name)) return 'has a filename with control characters';
  return undefined;
}
