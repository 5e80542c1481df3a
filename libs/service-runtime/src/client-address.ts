import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * Whose `X-Forwarded-For` is believed: nobody's (`false`), that of the given number of proxies in front, or that of
 * proxies in the given addresses and ranges. Trusting everybody cannot be said: any caller could then choose its address.
 */
export type TrustProxy = false | number | readonly string[];

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const IPV6_NETWORK_GROUPS = 4;

/** The address of the caller as far as `trustProxy` lets it be known; always an IP address, or `unknown`. */
export function clientAddress(request: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const claimed = normalise(request.ip);
  if (isIP(claimed) !== 0) return claimed;
  const peer = normalise(request.socket.remoteAddress ?? '');
  return isIP(peer) === 0 ? 'unknown' : peer;
}

/** The key under which calls of an address are limited: an IPv4 address, or the /64 network of an IPv6 one. */
export function addressLimitKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const plain = address.split('%')[0] ?? address;
  const [head = '', tail] = plain.split('::');
  const headGroups = head === '' ? [] : head.split(':');
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - headGroups.length - tailGroups.length);
  const groups = [...headGroups, ...Array<string>(zeros).fill('0'), ...tailGroups];
  const network = groups.slice(0, IPV6_NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

function normalise(address: string): string {
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}
