import { isLoopbackAddress, isLoopbackHost } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';

/** What proxies add. A request that has one of these comes from elsewhere, whatever its connection says. */
const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-host',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-azure-clientip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
]);
const FORWARDING_PREFIX = 'x-forwarded';

/** What a browser says of the page that asks; two at once, or a word that is none of these, come from no browser. */
const FETCH_SITES: ReadonlySet<string> = new Set(['none', 'same-origin', 'same-site', 'cross-site']);

const HOST_HEADER = /^(\[[0-9a-f:.]+\]|[^\s:/@\\[\]]+)(?::\d{1,5})?$/i;

/**
 * Whether a request was sent on this machine, to this machine, by something that is no page of another site. Every part
 * of it matters: the address of the connection alone is that of a proxy or of a browser too, `Host` tells a foreign name
 * that was made to resolve to loopback, and `Origin` and `Sec-Fetch-Site` tell a foreign page.
 */
export function comesOverLoopback({ headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>): boolean {
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    !Object.keys(headers).some((name) => FORWARDING_HEADERS.has(name) || name.startsWith(FORWARDING_PREFIX)) &&
    isLoopbackHost(HOST_HEADER.exec(headers.host ?? '')?.[1] ?? '') &&
    isOwnPage(headers)
  );
}

function isOwnPage({ origin, 'sec-fetch-site': fetchSite }: FastifyRequest['headers']): boolean {
  const site = fetchSite?.toString().toLowerCase();
  if (site !== undefined && !FETCH_SITES.has(site)) return false;
  // Without an origin, a browser may still say that a foreign page has asked, for an image or a script say.
  if (origin === undefined) return site !== 'cross-site';
  return /^https?:\/\//.test(origin) && URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname);
}
