/** Shorter parts of a URL are words, not keys. */
const MIN_SECRET_LENGTH = 8;

const HIDDEN = '…';

/**
 * Takes out of a text what a URL may hold as a secret: its user and password, segments of its path, values of its query.
 * Providers repeat their customers' keys in messages.
 */
export function hiderOf(url: string): (text: string) => string {
  const { username, password, pathname, searchParams } = new URL(url);
  const parts = [username, password, ...pathname.split('/'), ...searchParams.values()];
  const secrets = new Set(parts.flatMap((part) => [part, decoded(part)]));
  // The longest first: one may hold another.
  const known = [...secrets].filter(({ length }) => length >= MIN_SECRET_LENGTH).sort((a, b) => b.length - a.length);
  return (text) => known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
