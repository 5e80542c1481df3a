import { z } from 'zod';

const CARD_PATHS = ['/.well-known/agent-card.json', '/.well-known/agent.json'] as const;

const cardSchema = z.union([
  z.object({ name: z.string().regex(/\S/) }),
  z.object({ skills: z.array(z.unknown()).min(1) }),
]);

/** Whether a JSON value looks like an agent card: it has a name or skills. */
export function isAgentCard(value: unknown): boolean {
  return cardSchema.safeParse(value).success;
}

/**
 * Where the card of an endpoint may be, the likeliest place first: below the endpoint's own path, at the root of its host, at the
 * endpoint itself; for an endpoint that is the URL of a document, there first. At most five. None for what is no http(s) URL.
 */
export function cardUrls(endpoint: string): readonly string[] {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return [];
  url.hash = '';
  const path = url.pathname.replace(/\/+$/, '');
  const atRoot = CARD_PATHS.map((cardPath) => withPath(url, cardPath));
  const isDocument = /\/\.well-known\/agent|\.json$/i.test(path);
  const urls = isDocument
    ? [url.href, ...atRoot]
    : [...CARD_PATHS.map((cardPath) => withPath(url, path + cardPath)), ...atRoot, url.href];
  return [...new Set(urls)];
}

/** Without the query, which belongs to the endpoint. */
function withPath(url: URL, path: string): string {
  const other = new URL(url);
  other.pathname = path;
  other.search = '';
  return other.href;
}
