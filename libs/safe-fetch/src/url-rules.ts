import { isIP, isIPv4 } from 'node:net';
import { isPublicAddress } from './address-rules';
import { SafeFetchError } from './errors';
import type { PrivateAllowList } from './private-allow-list';

/** The longest URL that is asked for. */
export const MAX_URL_LENGTH = 8_192;

const MAX_HOSTNAME_LENGTH = 253;

/** Names that mean something inside a network only. */
const LOCAL_SUFFIXES = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'intranet',
  'lan',
  'corp',
  'home',
  'home.arpa',
];

/** What a URL must keep to. */
export interface UrlRules {
  readonly allowPrivate: PrivateAllowList;
  readonly httpsOnly: boolean;
  /** Ports that need no listing. */
  readonly publicPorts: ReadonlySet<number>;
  readonly isPublicAddress: (address: string) => boolean;
}

export const PUBLIC_URL_RULES: Omit<UrlRules, 'allowPrivate' | 'httpsOnly'> = {
  publicPorts: new Set([80, 443]),
  isPublicAddress,
};

/** A URL that may be asked for, once the addresses of its name are known to be public. */
export interface Target {
  readonly url: URL;
  /** Without brackets and final dot. */
  readonly hostname: string;
  readonly port: number;
  /** On the allow list: its addresses need not be public. */
  readonly allowed: boolean;
  /** The host is an address, which is checked already. */
  readonly isAddress: boolean;
}

/**
 * The target that a text names, by itself or seen from the page before.
 * @throws SafeFetchError `invalid_url` or `refused_address`.
 */
export function targetOf(text: string, rules: UrlRules, from?: Target): Target {
  const url = parse(text, from?.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new SafeFetchError('invalid_url', 'Only http and https are fetched');
  }
  if (url.username !== '' || url.password !== '') {
    throw new SafeFetchError('invalid_url', 'A URL with credentials is not fetched');
  }
  url.hash = '';
  const hostname = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (hostname === '' || hostname.length > MAX_HOSTNAME_LENGTH || hostname.split('.').includes('')) {
    throw new SafeFetchError('invalid_url', 'The URL names no host');
  }
  if (from?.url.protocol === 'https:' && url.protocol === 'http:') {
    throw refusal('A redirect from https to http is not followed');
  }
  if (isIPv4(hostname) && hostname !== from?.hostname && !text.includes(hostname)) {
    throw refusal('The address is written in an unusual form');
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const isAddress = isIP(hostname) !== 0;
  const allowed = rules.allowPrivate.allows(url);
  if (!allowed) {
    assertPublic({ url, hostname, port, isAddress }, rules);
  }
  return { url, hostname, port, allowed, isAddress };
}

/**
 * Whether a URL could be asked for at all, as far as it tells by itself: its name is not resolved.
 * @throws SafeFetchError `invalid_url` or `refused_address`.
 */
export function assertFetchable(text: string, rules: Pick<UrlRules, 'allowPrivate' | 'httpsOnly'>): void {
  targetOf(text, { ...PUBLIC_URL_RULES, ...rules });
}

/**
 * The target that a text of the operator names: it need not be public.
 * @throws SafeFetchError `invalid_url` or `refused_address`.
 */
export function trustedTargetOf(text: string, rules: UrlRules): Target {
  return targetOf(text, { ...rules, allowPrivate: { allows: () => true } });
}

function parse(text: string, base: URL | undefined): URL {
  if (text.length > MAX_URL_LENGTH) {
    throw new SafeFetchError('invalid_url', `The URL is longer than ${MAX_URL_LENGTH} characters`);
  }
  if (!URL.canParse(text, base?.href)) {
    throw new SafeFetchError('invalid_url', 'This is no URL');
  }
  return new URL(text, base);
}

function assertPublic(target: Omit<Target, 'allowed'>, rules: UrlRules): void {
  if (rules.httpsOnly && target.url.protocol !== 'https:') {
    throw refusal('Only https is allowed');
  }
  if (!rules.publicPorts.has(target.port)) {
    throw refusal('The port is not allowed');
  }
  const isPublic = target.isAddress ? rules.isPublicAddress(target.hostname) : isPublicName(target.hostname);
  if (!isPublic) {
    throw refusal('The address is not public');
  }
}

function isPublicName(hostname: string): boolean {
  return hostname.includes('.') && !LOCAL_SUFFIXES.some((suffix) => hostname.endsWith(`.${suffix}`));
}

export function refusal(message: string): SafeFetchError {
  return new SafeFetchError('refused_address', message);
}
