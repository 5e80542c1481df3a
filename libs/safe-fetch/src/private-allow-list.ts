import { SluiceError } from '@sluice/event-log';

/** How many origins a list may have. */
export const MAX_ALLOWED_ORIGINS = 100;

/** The origins that may be fetched although they are not public, or use an unusual port. */
export interface PrivateAllowList {
  /** Whether exactly this scheme, host and port are listed. */
  allows(url: URL): boolean;
}

/** Lists nothing. */
export const NOTHING_PRIVATE: PrivateAllowList = { allows: () => false };

/**
 * The allow list of a setting: origins (`http://10.0.0.5:9000`) or, for both schemes, hosts with a port (`minio:9000`), as a list or with commas between.
 * An entry stands for that one host and port; there are no wildcards. Empty means none.
 * @throws SluiceError `configuration` that names the entry which is neither, and where there are more than MAX_ALLOWED_ORIGINS.
 */
export function parsePrivateAllowList(listed: string | readonly string[]): PrivateAllowList {
  const entries = (typeof listed === 'string' ? listed.split(',') : listed)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length > MAX_ALLOWED_ORIGINS) {
    throw new SluiceError('configuration', `At most ${MAX_ALLOWED_ORIGINS} private origins may be allowed`);
  }
  const origins = new Set(entries.flatMap(originsOf));
  return { allows: (url) => origins.has(url.origin) };
}

function originsOf(entry: string): string[] {
  if (/^https?:\/\//i.test(entry)) {
    return [originOf(entry, entry)];
  }
  if (!/:\d{1,5}$/.test(entry)) {
    throw notAnOrigin(entry);
  }
  return [originOf(`http://${entry}`, entry), originOf(`https://${entry}`, entry)];
}

function originOf(text: string, entry: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (!isOrigin || url.password !== '') {
    throw notAnOrigin(entry);
  }
  return url.origin;
}

function notAnOrigin(entry: string): SluiceError {
  return new SluiceError(
    'configuration',
    `"${entry}" is neither an origin such as http://10.0.0.5:9000 nor a host with a port such as minio:9000`,
  );
}
